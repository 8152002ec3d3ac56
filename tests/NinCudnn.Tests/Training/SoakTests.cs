using System.Globalization;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

/// <summary>
/// Long trainings, and many short ones in one process: what they hold must stay what it was when they had warmed up. NIN_SOAK_STEPS says how long;
/// <c>make soak</c> is the long form.
/// </summary>
[Collection(DeviceAlone.Name)]
public sealed class SoakTests(ITestOutputHelper output) : IDisposable
{
    private const int DefaultSteps = 1000;
    private const int StepsPerEpoch = 25;
    private const int Measurements = 20;
    private const int StepsPerRun = 5;

    // What an epoch leaves on purpose: its result, of some hundred bytes. Checkpoints list all of them, so that the pooled buffers which they are
    // written through double now and then.
    private const long ManagedBytesPerEpoch = 1000;
    private const long ManagedSlack = 512 << 10;

    // The kernel counts pages, of which the runtime keeps some of what it freed.
    private const long ResidentSlack = 16 << 20;

    private static readonly int _steps =
        Environment.GetEnvironmentVariable("NIN_SOAK_STEPS") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : DefaultSteps;

    private static readonly ImageDataset _trainSet = TinyNetwork.Dataset(StepsPerEpoch * 16), _testSet = TinyNetwork.Dataset(40, 2);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(Precision.Float32, DataPlacement.Resident)]
    [InlineData(Precision.Float16, DataPlacement.Stream)]
    public void Train_ManySteps_HoldsNoMoreThanInTheBeginning(Precision precision, DataPlacement placement)
    {
        using Trainer trainer = Create(TestDevice.Shared, precision, placement, _steps / StepsPerEpoch);
        trainer.Checkpoints = new CheckpointSettings(new CheckpointDirectory(_directory.Path)) { EverySteps = 10 };
        var observer = new Observer(this, _steps / StepsPerEpoch);

        TrainingResult result = trainer.Train(observer);

        Assert.Equal(_steps, result.Step);
        Check(observer.Held, _steps / StepsPerEpoch * ManagedBytesPerEpoch);
    }

    [Fact]
    public void Train_ManyTimes_HoldsNoMoreThanInTheBeginning()
    {
        int runs = _steps / StepsPerRun / 4;
        List<Held> held = [];
        for (int i = 1; i <= runs; i++)
        {
            // A device of its own, too, beside the shared one that keeps the context.
            using (Device device = Device.Open(TestDevice.Request))
            using (Trainer trainer = Create(device, i % 2 == 0 ? Precision.Float32 : Precision.BFloat16, i % 3 == 0 ? DataPlacement.Stream : DataPlacement.Resident, 1, StepsPerRun))
            {
                trainer.Train();
                using var predictor = Predictor.Load(device, trainer.DownloadModel(), TinyNetwork.ImageSize, TinyNetwork.ImageSize, 4);
                predictor.Predict(_testSet.Images[..(4 * _testSet.ImageBytes)], new float[4 * TinyNetwork.Classes]);
            }
            if (i % Math.Max(runs / Measurements, 1) == 0)
                held.Add(Measure(i));
        }
        Check(held, 0);
    }

    private static Trainer Create(Device device, Precision precision, DataPlacement placement, int epochs, int stepsPerEpoch = StepsPerEpoch) => new(
        device, TinyNetwork.Architecture(),
        TinyTraining.Recipe with
        {
            Precision = precision,
            Epochs = epochs,
            EmaDecay = 0.99,
            ClipNorm = 1,
            Augmentation = new Augmentation(HorizontalFlip: 0.5),
        },
        _trainSet.Take(stepsPerEpoch * 16), _testSet, execution: new ExecutionSettings { DataPlacement = placement });

    private Held Measure(int when)
    {
        long managed = GC.GetTotalMemory(forceFullCollection: true);
        var held = new Held(
            TestDevice.Shared.TotalBytes - TestDevice.Shared.FreeBytes, managed, ResidentBytes(), Directory.GetFileSystemEntries("/proc/self/fd").Length,
            Directory.GetDirectories("/proc/self/task").Length, GC.CollectionCount(2));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{when}: {held}"));
        return held;
    }

    /// <summary>Compares the last quarter with the one before: in the first half the runtime still compiles.</summary>
    private static void Check(List<Held> held, long managedSlack)
    {
        Assert.True(held.Count >= 8, $"{held.Count} measurements say nothing");
        Held[] early = [.. held.SkipLast(held.Count / 4).TakeLast(held.Count / 4)], late = [.. held.TakeLast(held.Count / 4)];
        Assert.Equal(early.Max(one => one.DeviceBytes), late.Max(one => one.DeviceBytes));
        Assert.InRange(late.Min(one => one.Files), 0, early.Max(one => one.Files));
        Assert.InRange(late.Min(one => one.Threads), 0, early.Max(one => one.Threads));
        Assert.InRange(late.Min(one => one.ManagedBytes), 0, early.Max(one => one.ManagedBytes) + managedSlack + ManagedSlack);
        Assert.InRange(late.Min(one => one.ResidentBytes), 0, early.Max(one => one.ResidentBytes) + ResidentSlack);
    }

    private static long ResidentBytes() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    /// <summary>What the process holds.</summary>
    private sealed record Held(long DeviceBytes, long ManagedBytes, long ResidentBytes, int Files, int Threads, int Collections);

    private sealed class Observer(SoakTests test, int epochs) : ITrainingObserver
    {
        public List<Held> Held { get; } = [];

        public void EpochEnded(EpochResult epoch)
        {
            if (epoch.Epoch % Math.Max(epochs / Measurements, 1) == 0)
                Held.Add(test.Measure(epoch.Epoch * StepsPerEpoch));
        }
    }
}
