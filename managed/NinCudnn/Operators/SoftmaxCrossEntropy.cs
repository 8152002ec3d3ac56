using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// Softmax and cross-entropy, loss and gradient in one kernel, with the target t[n,c] = (1 − ε)·[c = label] + ε/C of label smoothing ε,
/// as torch.nn.CrossEntropyLoss has it:
/// loss[n] = ln Σ_c exp(z[n,c]) − Σ_c t[n,c]·z[n,c], dz[n,c] = (softmax(z)[n,c] − t[n,c]) · lossScale / N.
/// </summary>
public sealed unsafe class SoftmaxCrossEntropy
{
    private const uint RowsPerBlock = 4; // one warp a row

    private readonly DeviceStream _stream;
    private readonly CUfunction _loss;
    private readonly CUfunction _accumulate;
    private readonly CUfunction _softmax;
    private readonly int _n;
    private readonly int _classes;
    private readonly int _elementBytes;
    private readonly float _labelSmoothing;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="n">Samples in the batch.</param>
    /// <param name="classes">Classes.</param>
    /// <param name="type">Element type of the logits and their gradient.</param>
    /// <param name="labelSmoothing">ε, the share of the target that all classes divide among them: 0 ≤ ε &lt; 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public SoftmaxCrossEntropy(DeviceStream stream, int n, int classes, DataType type = DataType.Float32, double labelSmoothing = 0)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        if (!(labelSmoothing >= 0 && labelSmoothing < 1))
            throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "the label smoothing must be at least 0 and below 1");
        _stream = stream;
        _n = n;
        _classes = classes;
        _elementBytes = type.Bytes();
        _labelSmoothing = (float)labelSmoothing;
        KernelModule kernels = stream.Device.Kernels("loss");
        _loss = kernels.Function($"softmax_cross_entropy_{type.Suffix()}");
        _accumulate = kernels.Function("loss_accumulate");
        _softmax = kernels.Function($"softmax_forward_{type.Suffix()}");
    }

    /// <summary>Queues loss and gradient of a batch.</summary>
    /// <param name="logits">z (N, classes).</param>
    /// <param name="labels">One int32 per sample of the whole data set.</param>
    /// <param name="indices">The batch's samples as positions in the labels: N int32.</param>
    /// <param name="state">The step's <see cref="StepState"/> in device memory.</param>
    /// <param name="sampleLoss">loss: N float32, overwritten.</param>
    /// <param name="sampleCorrect">1 where the first largest logit is the label's, else 0: N bytes, overwritten.</param>
    /// <param name="dlogits">dz (N, classes), overwritten; empty when no gradient is wanted.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Run(
        DeviceMemory logits, DeviceMemory labels, DeviceMemory indices, DeviceMemory state,
        DeviceMemory sampleLoss, DeviceMemory sampleCorrect, DeviceMemory dlogits)
    {
        long logitBytes = (long)_n * _classes * _elementBytes;
        void* logitsPointer = logits.Require(logitBytes);
        void* labelsPointer = labels.Require(sizeof(int));
        void* indicesPointer = indices.Require((long)_n * sizeof(int));
        void* statePointer = state.Require(sizeof(StepState));
        void* lossPointer = sampleLoss.Require((long)_n * sizeof(float));
        void* correctPointer = sampleCorrect.Require(_n);
        void* gradientPointer = dlogits == default ? null : dlogits.Require(logitBytes);
        int labelCount = checked((int)(labels.Bytes / sizeof(int))), n = _n, classes = _classes;
        float gradientScale = 1f / n, labelSmoothing = _labelSmoothing;
        void** arguments = stackalloc void*[]
        {
            &logitsPointer, &labelsPointer, &indicesPointer, &statePointer, &lossPointer, &correctPointer, &gradientPointer,
            &labelCount, &n, &classes, &gradientScale, &labelSmoothing,
        };
        KernelLaunch.Run(_loss, RowBlocks, RowsPerBlock * KernelLaunch.WarpSize, arguments, _stream);
    }

    /// <summary>Queues adding a batch to running sums, in a fixed order: sums[0] += Σ loss, sums[1] += correct, sums[2] += N.</summary>
    /// <param name="sampleLoss">N float32.</param>
    /// <param name="sampleCorrect">N bytes.</param>
    /// <param name="sums">Three float64.</param>
    /// <param name="onlyFinite">Whether a batch with an infinite or NaN loss is left out.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Accumulate(DeviceMemory sampleLoss, DeviceMemory sampleCorrect, DeviceMemory sums, bool onlyFinite = false)
    {
        void* lossPointer = sampleLoss.Require((long)_n * sizeof(float));
        void* correctPointer = sampleCorrect.Require(_n);
        void* sumsPointer = sums.Require(3 * sizeof(double));
        int n = _n, onlyFiniteFlag = onlyFinite ? 1 : 0;
        void** arguments = stackalloc void*[] { &lossPointer, &correctPointer, &sumsPointer, &n, &onlyFiniteFlag };
        KernelLaunch.Run(_accumulate, 1, KernelLaunch.WarpSize, arguments, _stream);
    }

    /// <summary>Queues the class probabilities softmax(z)[n,c] = exp(z[n,c]) / Σ_c exp(z[n,c]).</summary>
    /// <param name="logits">z (N, classes).</param>
    /// <param name="probabilities">(N, classes) in float32, overwritten.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Probabilities(DeviceMemory logits, DeviceMemory probabilities)
    {
        void* logitsPointer = logits.Require((long)_n * _classes * _elementBytes);
        void* probabilitiesPointer = probabilities.Require((long)_n * _classes * sizeof(float));
        int n = _n, classes = _classes;
        void** arguments = stackalloc void*[] { &logitsPointer, &probabilitiesPointer, &n, &classes };
        KernelLaunch.Run(_softmax, RowBlocks, RowsPerBlock * KernelLaunch.WarpSize, arguments, _stream);
    }

    private uint RowBlocks => ((uint)_n + RowsPerBlock - 1) / RowsPerBlock;
}
