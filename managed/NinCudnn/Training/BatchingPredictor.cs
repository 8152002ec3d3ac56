using System.Collections.Concurrent;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// Runs a network over single images that come from several threads at once, as in a server: what has come in while the device was busy
/// goes through it together. An image never waits for others to come. Owns device and pinned memory and a thread; all members may be
/// called from any thread.
/// </summary>
public sealed class BatchingPredictor : IDisposable
{
    private const int BatchGrowth = 4;

    private readonly ModelResources _resources;
    private readonly List<Predictor> _predictors = []; // by their batch size: a lone image does not pay for a full batch
    private readonly BlockingCollection<Request> _requests;
    private readonly Thread _worker;
    private readonly byte[] _pixels;
    private readonly float[] _logits;
    private readonly float[] _classMaps;
    private long _images;
    private long _batches;

    private BatchingPredictor(
        Device device, ModelFile model, int height, int width, int maxBatch, int queueCapacity, Precision precision, ExecutionSettings? execution)
    {
        _resources = new ModelResources(device, model, precision);
        try
        {
            foreach (int batch in BatchSizes(maxBatch).Reverse()) // the largest first, whose scratch memory the others share
            {
                _predictors.Insert(0, new Predictor(
                    _resources.Stream, model.Description, _resources.Parameters, _resources.Arena, height, width, batch, execution));
            }
        }
        catch
        {
            Release();
            throw;
        }
        Model = model.Description;
        ImageBytes = _predictors[0].ImageBytes;
        ClassMapShape = _predictors[0].ClassMapShape;
        QueueCapacity = queueCapacity;
        _pixels = new byte[maxBatch * ImageBytes];
        _logits = new float[maxBatch * Model.Architecture.Classes];
        _classMaps = new float[maxBatch * ClassMapShape.Count];
        _requests = new BlockingCollection<Request>(queueCapacity);
        _worker = new Thread(Work) { Name = nameof(BatchingPredictor), IsBackground = true };
        _worker.Start();
    }

    /// <summary>Brings a model onto a device, with a stream, memory and a thread of its own.</summary>
    /// <param name="device">Where to run it; it must live longer than this.</param>
    /// <param name="model">The network with its parameters.</param>
    /// <param name="height">H, rows of the images.</param>
    /// <param name="width">W, columns of the images.</param>
    /// <param name="maxBatch">Images that run at once at most.</param>
    /// <param name="queueCapacity">Images that may wait.</param>
    /// <param name="precision">What the network computes in.</param>
    /// <param name="execution">How it is carried out; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    /// <exception cref="ArgumentException">The batch is too large, or the model's parts do not fit together.</exception>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public static BatchingPredictor Load(
        Device device, ModelFile model, int height, int width, int maxBatch = 16, int queueCapacity = 256, Precision precision = Precision.Float32,
        ExecutionSettings? execution = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(queueCapacity);
        return new BatchingPredictor(device, model, height, width, maxBatch, queueCapacity, precision, execution);
    }

    /// <summary>The network and how its input is made.</summary>
    public ModelDescription Model { get; }

    /// <summary>Bytes of an image: H·W·C.</summary>
    public int ImageBytes { get; }

    /// <summary>The class maps of one image: N = 1, C classes, H×W places.</summary>
    public TensorShape ClassMapShape { get; }

    /// <summary>Images that may wait.</summary>
    public int QueueCapacity { get; }

    /// <summary>Images that wait.</summary>
    public int Waiting => _requests.Count;

    /// <summary>Images predicted so far.</summary>
    public long Images => Interlocked.Read(ref _images);

    /// <summary>Times that the network ran so far.</summary>
    public long Batches => Interlocked.Read(ref _batches);

    /// <summary>Queues an image.</summary>
    /// <param name="image">(H, W, C), values 0…255; may not change before the result is there.</param>
    /// <param name="stop">Gives up the waiting.</param>
    /// <returns>The result; it fails with a <see cref="Interop.NativeException"/> where a native call fails.</returns>
    /// <exception cref="ArgumentException">The length is not <see cref="ImageBytes"/>.</exception>
    /// <exception cref="PredictionQueueFullException">Too many images wait.</exception>
    /// <exception cref="ObjectDisposedException">This has been disposed.</exception>
    public Task<ImagePrediction> PredictAsync(ReadOnlyMemory<byte> image, CancellationToken stop = default)
    {
        if (image.Length != ImageBytes)
            throw new ArgumentException($"the image has {image.Length} bytes, the network takes {ImageBytes}");
        var request = new Request(image, stop);
        try
        {
            if (!_requests.TryAdd(request, 0, CancellationToken.None))
                throw new PredictionQueueFullException(QueueCapacity);
        }
        catch (InvalidOperationException e)
        {
            throw new ObjectDisposedException("no image can be predicted any more", e);
        }
        return request.Result.Task.WaitAsync(stop);
    }

    /// <summary>Finishes what was queued, and releases everything.</summary>
    public void Dispose()
    {
        _requests.CompleteAdding();
        _worker.Join();
        Release();
    }

    /// <summary>1, 4, 16 and so on, and the largest.</summary>
    private static IEnumerable<int> BatchSizes(int largest)
    {
        for (long size = 1; size < largest; size *= BatchGrowth)
            yield return (int)size;
        yield return largest;
    }

    private void Release()
    {
        _predictors.ForEach(predictor => predictor.Dispose());
        _resources.Dispose();
    }

    private void Work()
    {
        List<Request> batch = [];
        foreach (Request first in _requests.GetConsumingEnumerable())
        {
            batch.Add(first);
            while (batch.Count < _predictors[^1].BatchSize && _requests.TryTake(out Request? next))
                batch.Add(next);
            batch.RemoveAll(request => request.Stop.IsCancellationRequested);
            if (batch.Count > 0)
                Run(batch);
            batch.Clear();
        }
    }

    private void Run(List<Request> batch)
    {
        int n = batch.Count, classes = Model.Architecture.Classes, mapElements = (int)ClassMapShape.Count;
        try
        {
            for (int i = 0; i < n; i++)
                batch[i].Image.Span.CopyTo(_pixels.AsSpan(i * ImageBytes));
            _predictors.Find(predictor => predictor.BatchSize >= n)!.Predict(
                _pixels.AsSpan(0, n * ImageBytes), _logits.AsSpan(0, n * classes), _classMaps.AsSpan(0, n * mapElements));
        }
        catch (Exception e)
        {
            batch.ForEach(request => request.Result.SetException(e));
            return;
        }
        Interlocked.Add(ref _images, n);
        Interlocked.Increment(ref _batches);
        for (int i = 0; i < n; i++)
        {
            batch[i].Result.SetResult(new ImagePrediction(
                _logits.AsSpan(i * classes, classes).ToArray(), _classMaps.AsSpan(i * mapElements, mapElements).ToArray()));
        }
    }

    private sealed record Request(ReadOnlyMemory<byte> Image, CancellationToken Stop)
    {
        public TaskCompletionSource<ImagePrediction> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
