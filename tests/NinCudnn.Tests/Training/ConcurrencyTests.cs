using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

/// <summary>Several models and threads at once: each gives what it gives alone, and everything is released once, whoever does it.</summary>
public sealed class ConcurrencyTests
{
    private const int Threads = 4;

    private static readonly ImageDataset _trainSet = TinyNetwork.Dataset(50, 1), _testSet = TinyNetwork.Dataset(21, 2);

    [Fact]
    public void Train_SeveralModelsOnOneDevice_EachAsIfItWereAlone()
    {
        float[][] alone = [.. Enumerable.Range(0, Threads).Select(i => TrainAndPredict(TestDevice.Shared, i))], together = new float[Threads][];

        InThreads(i => together[i] = TrainAndPredict(TestDevice.Shared, i));

        Assert.Equal(alone, together);
    }

    [Fact]
    public void Train_OneModelPerDevice_EachAsIfItWereAlone()
    {
        Cuda.cuDeviceGetCount(out int count).ThrowIfFailed();
        Assert.SkipWhen(count < 2, "one device only; NIN_HOST_DEVICES=2 gives the host provider two");
        string kind = TestDevice.Shared.Provider == NativeProvider.Host ? "cpu" : "cuda";
        float[] alone = TrainAndPredict(TestDevice.Shared, 3);
        var together = new float[Threads][];

        InThreads(i =>
        {
            using Device device = Device.Open(DeviceRequest.Parse($"{kind}:{i % count}"));
            together[i] = TrainAndPredict(device, 3);
        });

        Assert.All(together, one => Assert.Equal(alone, one)); // the host provider's devices are alike; GPUs should be
    }

    [Fact]
    public void Dispose_FromSeveralThreads_ReleasesOnce()
    {
        for (int round = 0; round < 20; round++)
        {
            Device device = Device.Open(TestDevice.Request);
            DeviceStream stream = device.CreateStream();
            DeviceBuffer<int> buffer = device.Allocate<int>(100);
            PinnedBuffer<int> pinned = device.AllocatePinned<int>(100);
            var mark = new DeviceEvent(device);
            ExecutableGraph graph = stream.Capture(() => stream.Clear(buffer));
            graph.Launch();
            stream.Copy(buffer, pinned, 100);
            mark.Record(stream);
            IDisposable[] all = [stream, buffer, pinned, mark, graph, device];

            InThreads(i =>
            {
                for (int k = 0; k < all.Length; k++)
                    all[(k + i) % all.Length].Dispose();
            });

            Assert.Throws<ObjectDisposedException>(device.Synchronize); // all gave their hold on it back, and none twice
        }
        TestDevice.Shared.Synchronize();
    }

    [Fact]
    public void Dispose_WhileOthersMakeThings_LetsThemEndOrSaysThatItIsGone()
    {
        for (int round = 0; round < 20; round++)
        {
            Device device = Device.Open(TestDevice.Request);
            InThreads(i =>
            {
                if (i == 0)
                {
                    Thread.Yield();
                    device.Dispose();
                    return;
                }
                try
                {
                    while (true)
                    {
                        using DeviceStream stream = device.CreateStream();
                        using DeviceBuffer<byte> buffer = device.Allocate<byte>(64);
                        stream.Clear(buffer);
                        Assert.Equal(new byte[64], buffer.Download());
                    }
                }
                catch (ObjectDisposedException)
                {
                    // at one of the three, some time
                }
            });
            Assert.Throws<ObjectDisposedException>(device.Synchronize);
        }
    }

    /// <returns>The parameters that a training ends with, and the class scores that they give some of the test set.</returns>
    private static float[] TrainAndPredict(Device device, int seed)
    {
        using var trainer = new Trainer(device, TinyNetwork.Architecture(), TinyTraining.Recipe, _trainSet, _testSet, (ulong)seed);
        trainer.Train();
        ModelFile model = trainer.DownloadModel();
        using var predictor = Predictor.Load(device, model, TinyNetwork.ImageSize, TinyNetwork.ImageSize, 8);
        var logits = new float[8 * TinyNetwork.Classes];
        predictor.Predict(_testSet.Images[..(8 * _testSet.ImageBytes)], logits);
        return [.. model.Parameters.Values.SelectMany(values => values), .. logits];
    }

    /// <summary>Runs an action on threads that begin together, and throws what one of them threw.</summary>
    private static void InThreads(Action<int> action)
    {
        using var start = new Barrier(Threads);
        var failures = new Exception?[Threads];
        Thread[] threads =
        [
            .. Enumerable.Range(0, Threads).Select(i => new Thread(() =>
            {
                start.SignalAndWait();
                failures[i] = Record.Exception(() => action(i));
            })),
        ];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.All(failures, Assert.Null);
    }
}
