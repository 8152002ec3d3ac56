namespace NinCudnn.Interop;

/// <summary>
/// The CUDA driver API, bound by exported symbol. Names, parameter order and types are those of <c>cuda.h</c>.
/// </summary>
public static unsafe partial class Cuda
{
    private const string Library = NativeLibraryNames.Cuda;

    // #define CU_MEMHOSTALLOC_PORTABLE 0x01: the memory is page-locked for every context.
    public const uint CU_MEMHOSTALLOC_PORTABLE = 1;

    // #define CU_MEMHOSTALLOC_DEVICEMAP 0x02: the memory also gets a device address.
    public const uint CU_MEMHOSTALLOC_DEVICEMAP = 2;

    // #define CU_MEMHOSTALLOC_WRITECOMBINED 0x04: faster to read for the device, slow to read for the host.
    public const uint CU_MEMHOSTALLOC_WRITECOMBINED = 4;
}
