using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// Dropout: y[i] = x[i] / (1 − rate) with probability 1 − rate, else 0. Which elements are kept follows from seed, layer,
/// step and i alone (Philox4x32-10, see native/kernels/dropout.cu), so the backward pass draws the same mask again and
/// nothing is stored.
/// </summary>
public sealed unsafe class Dropout
{
    private readonly DeviceStream _stream;
    private readonly CUfunction _forward;
    private readonly CUfunction _backward;
    private readonly long _count;
    private readonly int _elementBytes;
    private readonly ulong _seed;
    private readonly uint _layer;
    private readonly uint _threshold;
    private readonly float _scale;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="shape">The activations.</param>
    /// <param name="rate">The probability of dropping an element, 0 ≤ rate &lt; 1, kept as a multiple of 2⁻³².</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="layer">Distinguishes the masks of several dropout layers.</param>
    /// <param name="type">Element type of all operands.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is outside its range.</exception>
    public Dropout(DeviceStream stream, TensorShape shape, double rate, ulong seed, int layer, DataType type = DataType.Float32)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!(rate >= 0 && rate < 1))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "the dropout rate must be at least 0 and below 1");
        _stream = stream;
        _count = shape.Count;
        _elementBytes = type.Bytes();
        _seed = seed;
        _layer = (uint)layer;
        _threshold = (uint)Math.Round(rate * 4294967296.0);
        _scale = (float)(1 / (1 - rate));
        KernelModule kernels = stream.Device.Kernels("dropout");
        _forward = kernels.Function($"dropout_forward_{type.Suffix()}");
        _backward = kernels.Function($"dropout_backward_{type.Suffix()}");
    }

    /// <summary>Queues the forward pass; y may be x.</summary>
    /// <param name="x">Input.</param>
    /// <param name="state">The step's <see cref="StepState"/> in device memory.</param>
    /// <param name="y">Output.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Forward(DeviceMemory x, DeviceMemory state, DeviceMemory y) => Run(_forward, x, state, y);

    /// <summary>Queues the backward pass of the same step; dx may be dy.</summary>
    /// <param name="dy">Gradient of the output.</param>
    /// <param name="state">The step's <see cref="StepState"/> in device memory.</param>
    /// <param name="dx">Gradient of the input.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Backward(DeviceMemory dy, DeviceMemory state, DeviceMemory dx) => Run(_backward, dy, state, dx);

    private void Run(CUfunction function, DeviceMemory source, DeviceMemory state, DeviceMemory destination)
    {
        void* sourcePointer = source.Require(_count * _elementBytes);
        void* statePointer = state.Require(sizeof(StepState));
        void* destinationPointer = destination.Require(_count * _elementBytes);
        long count = _count;
        ulong seed = _seed;
        uint layer = _layer, threshold = _threshold;
        float scale = _scale;
        void** arguments = stackalloc void*[] { &sourcePointer, &statePointer, &destinationPointer, &count, &seed, &layer, &threshold, &scale };
        KernelLaunch.Run(function, KernelLaunch.Blocks(_stream.Device, (count + 3) / 4), KernelLaunch.BlockSize, arguments, _stream);
    }
}
