using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// The images lie in host memory. A thread gathers batch after batch into pinned slots; a stream of its own copies each to the slot of the
/// same number on the device, while the steps before it run. Owns a thread, a stream, device and pinned memory.
/// </summary>
/// <remarks>
/// The slots on the device are one data set of <see cref="SlotCount"/> batches, and the indices that a step gathers by point into its
/// slot. So the addresses in a plan's captured graph never change, and nothing is copied a second time on the device.
/// <para>
/// Events keep the order: a slot on the device is overwritten when the step that read it is done, a step begins when its copy is done, and a
/// pinned slot is filled again when its copy is done. Only the gathering thread ever waits for the device; what queues the steps waits for
/// that thread, if it is behind.
/// </para>
/// </remarks>
internal sealed class StreamedBatches : BatchSource
{
    /// <summary>One batch is read by a step while the next is copied and the one after it is gathered.</summary>
    public const int SlotCount = 2;

    private readonly ImageDataset _dataset;
    private readonly DeviceStream _stream;
    private readonly DeviceStream _copies;
    private readonly List<Slot> _slots = [];
    private readonly BatchPrefetch _prefetch;
    private readonly int[] _indices; // 0, 1, 2, …: of all places on the device
    private Slot? _current; // of the step that was sent last

    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public StreamedBatches(DeviceStream stream, StepInput stepInput, ImageDataset dataset, int batchSize)
        : base(stepInput, dataset.Count, batchSize)
    {
        _dataset = dataset;
        _stream = stream;
        try
        {
            Device device = stream.Device;
            int places = checked(SlotCount * BatchSize);
            Images = new DeviceDataset(device, new TensorShape(places, dataset.Channels, dataset.Height, dataset.Width));
            _indices = [.. Enumerable.Range(0, places)];
            _copies = device.CreateStream();
            for (int i = 0; i < SlotCount; i++)
                _slots.Add(new Slot(device, BatchSize, dataset.ImageBytes));
            _prefetch = new BatchPrefetch(SlotCount, Gather);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override DeviceDataset Images { get; }

    public override void Begin(EpochOrder? order, int first)
    {
        _prefetch.Halt(); // it reads the order
        base.Begin(order, first);
        _prefetch.Start(BatchCount, first);
    }

    public override void Send(in StepState state, int batch)
    {
        _current?.Read.Record(_stream); // behind the plan that was queued last
        int index = _prefetch.Take(batch), count = Samples(batch).Length, first = index * BatchSize;
        Slot slot = _current = _slots[index];
        long imageBytes = _dataset.ImageBytes;
        _copies.Wait(slot.Read);
        _copies.Copy(slot.Images, Images.Images.Slice(first * imageBytes, count * imageBytes), count * _dataset.ImageBytes);
        _copies.Copy(slot.Labels, Images.Labels.Slice(first * sizeof(int), count * sizeof(int)), count);
        slot.Copied.Record(_copies);
        _prefetch.Release();
        _stream.Wait(slot.Copied);
        StepInput.Send(state, _indices.AsSpan(first, count));
    }

    public override void Dispose()
    {
        // Not all are there if the constructor failed.
        _prefetch?.Dispose();
        _slots.ForEach(slot => slot.Dispose());
        _copies?.Dispose();
        Images?.Dispose();
    }

    /// <summary>Fills a pinned slot; runs on the thread that prefetches.</summary>
    private void Gather(int index, int batch)
    {
        Slot slot = _slots[index];
        slot.Copied.Synchronize();
        ReadOnlySpan<int> samples = Samples(batch);
        ReadOnlySpan<ushort> labels = _dataset.Labels;
        Span<byte> slotImages = slot.Images.Span;
        Span<int> slotLabels = slot.Labels.Span;
        for (int i = 0; i < samples.Length; i++)
        {
            _dataset.Image(samples[i]).CopyTo(slotImages.Slice(i * _dataset.ImageBytes, _dataset.ImageBytes));
            slotLabels[i] = labels[samples[i]];
        }
    }

    /// <summary>Pinned memory for a batch, and how far the device is with it.</summary>
    private sealed class Slot : IDisposable
    {
        public Slot(Device device, int batchSize, int imageBytes)
        {
            try
            {
                Images = device.AllocatePinned<byte>(checked(batchSize * imageBytes));
                Labels = device.AllocatePinned<int>(batchSize);
                Copied = new DeviceEvent(device);
                Read = new DeviceEvent(device);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        /// <summary>(N, H, W, C)</summary>
        public PinnedBuffer<byte> Images { get; }

        /// <summary>(N)</summary>
        public PinnedBuffer<int> Labels { get; }

        /// <summary>Behind the copy to the device.</summary>
        public DeviceEvent Copied { get; }

        /// <summary>Behind the step that reads the copy.</summary>
        public DeviceEvent Read { get; }

        public void Dispose()
        {
            // Not all are there if the constructor failed.
            if (Copied is { IsDisposed: false })
                Copied.SynchronizeForRelease(); // the device may still be reading the slot
            Copied?.Dispose();
            Read?.Dispose();
            Images?.Dispose();
            Labels?.Dispose();
        }
    }
}
