using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// The rectifier's backward pass and the bias gradient in one pass over the data:
/// dz[m,k] = dy[m,k] where y[m,k] &gt; 0 (or is NaN), else 0; db[k] = Σ_m dz[m,k]. The sum's order is fixed.
/// </summary>
public sealed unsafe class ReluBackward
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

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="shape">The activations y and dy.</param>
    /// <param name="type">Element type of y, dy and db.</param>
    public ReluBackward(DeviceStream stream, TensorShape shape, DataType type = DataType.Float32)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        _rows = shape.Rows;
        _channels = shape.C;
        _rowsPerTile = (int)Math.Max((_rows + MaxTiles - 1) / MaxTiles, MinRowsPerTile);
        _tiles = (int)((_rows + _rowsPerTile - 1) / _rowsPerTile);
        _elementBytes = type.Bytes();
        KernelModule kernels = stream.Device.Kernels("activation");
        _backward = kernels.Function($"relu_bias_backward_{type.Suffix()}");
        _reduce = kernels.Function($"bias_reduce_{type.Suffix()}");
    }

    /// <summary>Scratch memory that <see cref="Run"/> needs, in bytes: the tiles' partial sums in float32.</summary>
    public long WorkspaceBytes => (long)_tiles * _channels * sizeof(float);

    /// <summary>Queues the pass.</summary>
    /// <param name="y">The rectifier's output (N, H, W, K).</param>
    /// <param name="dy">Its gradient (N, H, W, K); becomes dz in place.</param>
    /// <param name="db">Gradient of the bias (K), overwritten.</param>
    /// <param name="workspace">At least <see cref="WorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Run(DeviceMemory y, DeviceMemory dy, DeviceMemory db, DeviceMemory workspace)
    {
        long elements = _rows * _channels;
        void* yPointer = y.Require(elements * _elementBytes);
        void* dyPointer = dy.Require(elements * _elementBytes);
        void* dbPointer = db.Require((long)_channels * _elementBytes);
        void* partial = workspace.Require(WorkspaceBytes);
        long rows = _rows;
        int channels = _channels, rowsPerTile = _rowsPerTile, tiles = _tiles;

        void** arguments = stackalloc void*[] { &yPointer, &dyPointer, &partial, &rows, &channels, &rowsPerTile };
        // A thread takes 16 bytes of a tile's columns where the row's length allows, else one element.
        int columns = channels * _elementBytes % 16 == 0 ? channels * _elementBytes / 16 : channels;
        KernelLaunch.Run(_backward, KernelLaunch.Blocks(_stream.Device, (long)tiles * columns), KernelLaunch.BlockSize, arguments, _stream);

        void** reduceArguments = stackalloc void*[] { &partial, &dbPointer, &tiles, &channels };
        KernelLaunch.Run(_reduce, KernelLaunch.Blocks(_stream.Device, (long)channels * KernelLaunch.WarpSize), KernelLaunch.BlockSize, reduceArguments, _stream);
    }
}
