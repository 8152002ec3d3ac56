using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Goldens;
using NinCudnn.Tests.Operators;

namespace NinCudnn.Tests.Networks;

/// <summary>
/// A plan with everything that it needs. The test writes its input and labels itself, unless it gives a data set.
/// </summary>
internal sealed class NetworkFixture : IDisposable
{
    private readonly DeviceBuffer<int> _labels;
    private readonly DeviceArena _arena;
    private readonly DeviceDataset? _dataset;

    public NetworkFixture(Architecture architecture, PlanOptions options, ImageDataset? dataset = null)
    {
        Stream = TestDevice.Shared.CreateStream();
        Parameters = new ParameterStore(Stream.Device, architecture);
        Average = options.EmaDecay is null ? null : new ParameterStore(Stream.Device, architecture);
        Loss = new RunningLoss(Stream);
        Loss.Reset();
        _labels = Stream.Device.Allocate<int>(options.Batch);
        _arena = new DeviceArena(Stream.Device);
        _dataset = dataset is null ? null : new DeviceDataset(Stream.Device, dataset);
        StepInput = new StepInput(Stream, options.Batch);
        Plan = ExecutionPlan.Compile(
            architecture, options, new PlanResources(Stream, Parameters, StepInput, Loss, _arena, _dataset?.Labels ?? _labels.Memory, _dataset)
            {
                Average = Average,
            });
    }

    public DeviceStream Stream { get; }

    public ParameterStore Parameters { get; }

    /// <summary>The parameters' moving average, where the options ask for one.</summary>
    public ParameterStore? Average { get; }

    public RunningLoss Loss { get; }

    public StepInput StepInput { get; }

    public ExecutionPlan Plan { get; }

    /// <summary>The book's network with other channels and no dropout, as in the golden cases.</summary>
    public static Architecture Architecture(GoldenCase item)
    {
        int[] channels = [.. item.Params.GetProperty("channels").EnumerateArray().Select(value => value.GetInt32())];
        int classes = item.Params.GetProperty("classes").GetInt32();
        int inputChannels = item.Params.GetProperty("input")[1].GetInt32();
        Architecture seed = NinCudnn.Networks.Architecture.Seed(inputChannels, classes);
        int block = 0;
        return seed with
        {
            Layers = [.. seed.Layers.Select(layer => layer switch
            {
                NinBlock b when block < channels.Length => new NinBlock(channels[block++], b.Kernel, b.Stride, b.Padding),
                DropoutLayer => new DropoutLayer(item.Params.GetProperty("dropout").GetDouble()),
                _ => layer,
            })],
        };
    }

    /// <summary>Runs the plan once on a batch and returns the mean loss.</summary>
    /// <param name="x">The input in NCHW.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="labels">A label per sample.</param>
    /// <param name="state">The step's state.</param>
    public double Run(float[] x, int[] shape, long[] labels, StepState state)
    {
        using DeviceBuffer<float> input = Stream.Device.Allocate<float>(x.Length);
        input.Upload(Layout.ToNhwc(x, shape));
        _labels.Upload([.. labels.Select(label => (int)label)]);
        Stream.Copy(input.Memory, Plan.Input);
        StepInput.Send(state, [.. Enumerable.Range(0, shape[0])]);
        Loss.Reset();
        Plan.Run();
        Loss.BeginRead();
        return Loss.EndRead().Loss;
    }

    public float[] Download(DeviceMemory memory)
    {
        var values = new float[memory.Bytes / sizeof(float)];
        using DeviceBuffer<float> copy = Stream.Device.Allocate<float>(values.Length);
        Stream.Copy(memory, copy.Memory);
        copy.Download(values);
        return values;
    }

    public void Dispose()
    {
        Plan.Dispose();
        StepInput.Dispose();
        _arena.Dispose();
        _dataset?.Dispose();
        _labels.Dispose();
        Loss.Dispose();
        Average?.Dispose();
        Parameters.Dispose();
        Stream.Dispose();
    }
}
