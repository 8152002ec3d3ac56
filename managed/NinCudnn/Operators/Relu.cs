using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// The rectifier y = max(x, 0), NaN kept; backward together with the gradient of the bias before it, in one pass over the
/// data. Every call only queues work on the operator's stream. Owns native things; one thread at a time may use it.
/// </summary>
public sealed unsafe class Relu : IDisposable
{
    // One partial sum per tile and channel. 256 tiles keep a GPU busy at the network's channel counts, and the second
    // pass over them small.
    private const int MaxTiles = 256;
    private const int MinRowsPerTile = 64;

    private readonly DeviceStream _stream;
    private readonly CUfunction _backward;
    private readonly CUfunction _reduce;
    private readonly long _rows;
    private readonly int _channels;
    private readonly int _rowsPerTile;
    private readonly int _tiles;
    private readonly int _elementBytes;
    private readonly TensorDescriptor _descriptor;
    private readonly ReluDescriptor _activation;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="shape">The activations.</param>
    /// <param name="type">Element type of all operands.</param>
    public Relu(DeviceStream stream, TensorShape shape, DataType type = DataType.Float32)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        _rows = shape.Rows;
        _channels = shape.C;
        _rowsPerTile = (int)Math.Max((_rows + MaxTiles - 1) / MaxTiles, MinRowsPerTile);
        _tiles = (int)((_rows + _rowsPerTile - 1) / _rowsPerTile);
        _elementBytes = type.Bytes();
        // To an element-wise function the layout is all the same, and every cuDNN takes NCHW.
        _descriptor = new TensorDescriptor(shape, TensorForm.Native(type).Nchw());
        _activation = new ReluDescriptor(cudnnNanPropagation_t.CUDNN_PROPAGATE_NAN);
        KernelModule kernels = stream.Device.Kernels("activation");
        _backward = kernels.Function($"relu_bias_backward_{type.Suffix()}");
        _reduce = kernels.Function($"bias_reduce_{type.Suffix()}");
    }

    /// <summary>Scratch memory that <see cref="Backward"/> needs, in bytes: the tiles' partial sums in float32.</summary>
    public long BackwardWorkspaceBytes => (long)_tiles * _channels * sizeof(float);

    /// <summary>y = max(x, 0).</summary>
    /// <param name="x">Input (N, H, W, C).</param>
    /// <param name="y">Output (N, H, W, C); may be x.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Forward(DeviceMemory x, DeviceMemory y)
    {
        long bytes = _rows * _channels * _elementBytes;
        float one = 1, zero = 0;
        _stream.Device.MakeCurrent();
        Cudnn.cudnnActivationForward(
            _stream.Cudnn, _activation.Handle, &one, _descriptor.Handle, x.Require(bytes), &zero, _descriptor.Handle, y.Require(bytes)).ThrowIfFailed();
    }

    /// <summary>
    /// dz[m,k] = dy[m,k] where y[m,k] &gt; 0 or is NaN, else 0; db[k] = Σ_m dz[m,k], in a fixed order.
    /// </summary>
    /// <param name="y">The forward pass's output (N, H, W, C).</param>
    /// <param name="dy">Its gradient (N, H, W, C); becomes dz in place.</param>
    /// <param name="db">Gradient of the bias (C), overwritten.</param>
    /// <param name="workspace">At least <see cref="BackwardWorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Backward(DeviceMemory y, DeviceMemory dy, DeviceMemory db, DeviceMemory workspace)
    {
        long elements = _rows * _channels;
        void* yPointer = y.Require(elements * _elementBytes);
        void* dyPointer = dy.Require(elements * _elementBytes);
        void* dbPointer = db.Require((long)_channels * _elementBytes);
        void* partial = workspace.Require(BackwardWorkspaceBytes);
        long rows = _rows;
        int channels = _channels, rowsPerTile = _rowsPerTile, tiles = _tiles;

        void** arguments = stackalloc void*[] { &yPointer, &dyPointer, &partial, &rows, &channels, &rowsPerTile };
        // A thread takes 16 bytes of a tile's columns where the row's length allows, else one element.
        int columns = channels * _elementBytes % 16 == 0 ? channels * _elementBytes / 16 : channels;
        KernelLaunch.Run(_backward, KernelLaunch.Blocks(_stream.Device, (long)tiles * columns), KernelLaunch.BlockSize, arguments, _stream);

        void** reduceArguments = stackalloc void*[] { &partial, &dbPointer, &tiles, &channels };
        KernelLaunch.Run(_reduce, KernelLaunch.Blocks(_stream.Device, (long)channels * KernelLaunch.WarpSize), KernelLaunch.BlockSize, reduceArguments, _stream);
    }

    /// <summary>Releases descriptors; queued work is not affected.</summary>
    public void Dispose()
    {
        _descriptor.Dispose();
        _activation.Dispose();
    }
}
