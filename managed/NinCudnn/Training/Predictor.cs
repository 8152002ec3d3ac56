using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// Runs a network over images that lie in host memory: resizes them to the network's input as training does, and gives the class scores
/// and, if asked, the class maps. A call allocates nothing. Owns device and pinned memory; one thread at a time may use it.
/// </summary>
/// <remarks>
/// The class maps are the last block's output, one map per class: how much each place of the image speaks for the class. A class's score
/// is the mean of its map (Lin, Chen, Yan, "Network In Network", 2013, section 3.2).
/// </remarks>
public sealed class Predictor : IDisposable
{
    private readonly DeviceStream _stream;
    private readonly StepInput _stepInput;
    private readonly RunningLoss _loss; // the plan ends at the loss; nobody reads it
    private readonly DeviceDataset _batch;
    private readonly PinnedBuffer<byte> _images;
    private readonly PinnedBuffer<byte> _logits;
    private readonly PinnedBuffer<byte> _classMaps;
    private readonly ExecutionPlan _plan;
    private readonly DataType _type;
    private readonly int[] _indices;
    private ModelResources? _resources; // where they are its own

    /// <summary>Compiles the plan.</summary>
    /// <param name="stream">The stream that work is queued on.</param>
    /// <param name="model">The network and how its input is made.</param>
    /// <param name="parameters">The network's parameters; used as they are at each call.</param>
    /// <param name="arena">Scratch memory, which may be shared with plans that don't run at the same time.</param>
    /// <param name="height">H, rows of the images.</param>
    /// <param name="width">W, columns of the images.</param>
    /// <param name="batchSize">Images that run at once.</param>
    /// <param name="execution">How it is carried out; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    /// <exception cref="ArgumentException">The batch is too large.</exception>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public Predictor(
        DeviceStream stream, ModelDescription model, ParameterStore parameters, DeviceArena arena, int height, int width, int batchSize,
        ExecutionSettings? execution = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        execution ??= new ExecutionSettings();
        Architecture architecture = model.Architecture;
        Model = model;
        BatchSize = batchSize;
        ImageBytes = checked(height * width * architecture.InputChannels);
        ClassMapShape = architecture.InferShapes(1, model.ImageSize, model.ImageSize)[^3];
        _stream = stream;
        _type = parameters.Precision.DataType();
        _indices = new int[batchSize];
        Device device = stream.Device;
        try
        {
            _batch = new DeviceDataset(device, new TensorShape(batchSize, architecture.InputChannels, height, width));
            _stepInput = new StepInput(stream, batchSize);
            _loss = new RunningLoss(stream);
            _loss.Reset();
            _images = device.AllocatePinned<byte>(checked(batchSize * ImageBytes));
            _logits = device.AllocatePinned<byte>(checked(batchSize * architecture.Classes * _type.Bytes()));
            _classMaps = device.AllocatePinned<byte>(checked(batchSize * (int)ClassMapShape.Count * _type.Bytes()));
            var options = new PlanOptions
            {
                Batch = batchSize,
                Height = model.ImageSize,
                Width = model.ImageSize,
                Mode = PlanMode.Evaluation,
                Normalization = model.Normalization,
                Operators = execution.Operators(parameters.Precision),
            };
            var resources = new PlanResources(stream, parameters, _stepInput, _loss, arena, _batch.Labels, _batch)
            {
                Tuner = execution.CreateTuner(stream),
            };
            _plan = ExecutionPlan.Compile(architecture, options, resources);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Brings a model onto a device, with a stream and memory of its own.</summary>
    /// <param name="device">Where to run it.</param>
    /// <param name="model">The network with its parameters.</param>
    /// <param name="height">H, rows of the images.</param>
    /// <param name="width">W, columns of the images.</param>
    /// <param name="batchSize">Images that run at once.</param>
    /// <param name="precision">What the network computes in.</param>
    /// <param name="execution">How it is carried out; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    /// <exception cref="ArgumentException">The batch is too large, or the model's parts do not fit together.</exception>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public static Predictor Load(
        Device device, ModelFile model, int height, int width, int batchSize = 1, Precision precision = Precision.Float32,
        ExecutionSettings? execution = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(model);
        var resources = new ModelResources(device, model, precision);
        try
        {
            return new Predictor(resources.Stream, model.Description, resources.Parameters, resources.Arena, height, width, batchSize, execution)
            {
                _resources = resources,
            };
        }
        catch
        {
            resources.Dispose();
            throw;
        }
    }

    /// <summary>The network and how its input is made.</summary>
    public ModelDescription Model { get; }

    /// <summary>Images that run at once.</summary>
    public int BatchSize { get; }

    /// <summary>Bytes of an image: H·W·C.</summary>
    public int ImageBytes { get; }

    /// <summary>The class maps of one image: N = 1, C classes, H×W places.</summary>
    public TensorShape ClassMapShape { get; }

    /// <summary>Runs the network over any number of images and waits for the results.</summary>
    /// <param name="images">(N, H, W, C), values 0…255.</param>
    /// <param name="logits">(N, classes), overwritten. <see cref="ClassScores"/> makes probabilities of them.</param>
    /// <param name="classMaps">(N, h, w, classes), overwritten; may be empty. See <see cref="ClassMapShape"/>.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    /// <exception cref="Interop.NativeException">A native call failed.</exception>
    public void Predict(ReadOnlySpan<byte> images, Span<float> logits, Span<float> classMaps = default)
    {
        int classes = Model.Architecture.Classes, mapElements = (int)ClassMapShape.Count, count = images.Length / ImageBytes;
        if (images.Length != (long)count * ImageBytes || logits.Length != (long)count * classes)
        {
            throw new ArgumentException(
                $"{images.Length} bytes of images of {ImageBytes} and room for {logits.Length} scores of {classes} classes do not fit together");
        }
        if (classMaps.Length > 0 && classMaps.Length != (long)count * mapElements)
            throw new ArgumentException($"there is room for {classMaps.Length} elements of class maps, {count} images have {(long)count * mapElements}");
        for (int first = 0; first < count; first += BatchSize)
        {
            int n = Math.Min(BatchSize, count - first);
            Run(images.Slice(first * ImageBytes, n * ImageBytes), n, withMaps: classMaps.Length > 0);
            Decode(_logits, logits.Slice(first * classes, n * classes));
            if (classMaps.Length > 0)
                Decode(_classMaps, classMaps.Slice(first * mapElements, n * mapElements));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        _plan?.Dispose();
        _classMaps?.Dispose();
        _logits?.Dispose();
        _images?.Dispose();
        _loss?.Dispose();
        _stepInput?.Dispose();
        _batch?.Dispose();
        _resources?.Dispose();
    }

    private void Run(ReadOnlySpan<byte> images, int count, bool withMaps)
    {
        images.CopyTo(_images.Span);
        for (int i = 0; i < _indices.Length; i++)
            _indices[i] = i < count ? i : 0; // a last partial batch is filled up with its first image
        _stream.Copy(_images, _batch.Images, images.Length);
        _stepInput.Send(default, _indices);
        _plan.Run();
        _stream.Copy(_plan.Logits, _logits, _logits.Length);
        if (withMaps)
            _stream.Copy(_plan.ClassMaps, _classMaps, _classMaps.Length);
        _stream.Synchronize(); // the pinned memory is written again for the next batch
    }

    private void Decode(PinnedBuffer<byte> stored, Span<float> values) =>
        StoredElements.Decode(stored.Span[..(values.Length * _type.Bytes())], _type, values);
}
