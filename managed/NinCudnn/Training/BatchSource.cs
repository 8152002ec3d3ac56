using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// Where the images and labels of a step come from, pass after pass over a data set. Whatever the placement, a plan gathers its batch from
/// <see cref="Images"/> by the indices that <see cref="Send"/> queues; so it is the same plan, and gives the same bits.
/// </summary>
internal abstract class BatchSource : IDisposable
{
    private readonly int[] _order;

    /// <param name="stepInput">Brings the step's state and indices to the device.</param>
    /// <param name="sampleCount">Samples in the data set.</param>
    /// <param name="batchSize">Samples per batch, the last of a pass apart.</param>
    protected BatchSource(StepInput stepInput, int sampleCount, int batchSize)
    {
        StepInput = stepInput;
        SampleCount = sampleCount;
        BatchSize = Math.Min(batchSize, sampleCount);
        _order = new int[sampleCount];
    }

    /// <summary>What plans gather from.</summary>
    public abstract DeviceDataset Images { get; }

    /// <summary>Samples in a pass.</summary>
    public int SampleCount { get; }

    /// <summary>Samples in a batch.</summary>
    public int BatchSize { get; }

    /// <summary>Batches in a pass, the partial last one included.</summary>
    public int BatchCount => (SampleCount + BatchSize - 1) / BatchSize;

    protected StepInput StepInput { get; }

    /// <param name="placement">Where the data set lies; not <see cref="DataPlacement.Auto"/>.</param>
    /// <param name="stream">The stream that the plans run on.</param>
    /// <param name="stepInput">Brings the step's state and indices to the device.</param>
    /// <param name="dataset">The images and labels.</param>
    /// <param name="batchSize">Samples per batch.</param>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public static BatchSource Create(DataPlacement placement, DeviceStream stream, StepInput stepInput, ImageDataset dataset, int batchSize) => placement switch
    {
        DataPlacement.Resident => new ResidentBatches(stream.Device, stepInput, dataset, batchSize),
        DataPlacement.Stream => new StreamedBatches(stream, stepInput, dataset, batchSize),
        _ => throw new ArgumentOutOfRangeException(nameof(placement), placement, "the placement must be chosen"),
    };

    /// <summary>Samples in the first so many batches.</summary>
    public long SamplesIn(int batches) => Math.Min((long)batches * BatchSize, SampleCount);

    /// <summary>Begins a pass; one that was not finished is given up.</summary>
    /// <param name="order">The order of samples; null for the data set's own.</param>
    /// <param name="first">The batch to begin with; those before it are left out.</param>
    public virtual void Begin(EpochOrder? order, int first)
    {
        if (order is { } shuffled)
        {
            shuffled.Fill(_order);
            return;
        }
        for (int i = 0; i < _order.Length; i++)
            _order[i] = i;
    }

    /// <summary>Queues what the next step needs. Behind it, its plan is queued before anything else is sent.</summary>
    /// <param name="state">What the kernels read of this step.</param>
    /// <param name="batch">The batch's position in the pass, one more than that of the batch before.</param>
    public abstract void Send(in StepState state, int batch);

    public abstract void Dispose();

    /// <summary>A batch's samples as positions in the data set.</summary>
    protected ReadOnlySpan<int> Samples(int batch)
    {
        int start = batch * BatchSize;
        return _order.AsSpan(start, Math.Min(BatchSize, SampleCount - start));
    }
}

/// <summary>All images lie on the device: a step needs only indices. Owns device memory.</summary>
internal sealed class ResidentBatches : BatchSource
{
    public ResidentBatches(Device device, StepInput stepInput, ImageDataset dataset, int batchSize)
        : base(stepInput, dataset.Count, batchSize)
    {
        try
        {
            Images = new DeviceDataset(device, dataset);
        }
        catch (DeviceMemoryException e)
        {
            throw new DeviceMemoryException(device, e.RequestedBytes, DataRoom.Remedy);
        }
    }

    public override DeviceDataset Images { get; }

    public override void Send(in StepState state, int batch) => StepInput.Send(state, Samples(batch));

    public override void Dispose() => Images.Dispose();
}
