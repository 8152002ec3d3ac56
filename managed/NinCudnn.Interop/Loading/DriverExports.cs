using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>
/// The driver functions that a probe calls, taken from one opened library. A probe must not use the declarations: their
/// first call would bind them to a library, and the choice is still open.
/// </summary>
internal readonly unsafe struct DriverExports
{
    private readonly delegate* unmanaged<uint, CUresult> _cuInit;
    private readonly delegate* unmanaged<int*, CUresult> _cuDriverGetVersion;
    private readonly delegate* unmanaged<int*, CUresult> _cuDeviceGetCount;
    private readonly delegate* unmanaged<CUdevice*, int, CUresult> _cuDeviceGet;
    private readonly delegate* unmanaged<byte*, int, CUdevice, CUresult> _cuDeviceGetName;
    private readonly delegate* unmanaged<nuint*, CUdevice, CUresult> _cuDeviceTotalMem;
    private readonly delegate* unmanaged<int*, CUdevice_attribute, CUdevice, CUresult> _cuDeviceGetAttribute;

    /// <exception cref="EntryPointNotFoundException">The library lacks one of the functions.</exception>
    public DriverExports(nint library)
    {
        _cuInit = (delegate* unmanaged<uint, CUresult>)NativeLibrary.GetExport(library, "cuInit");
        _cuDriverGetVersion = (delegate* unmanaged<int*, CUresult>)NativeLibrary.GetExport(library, "cuDriverGetVersion");
        _cuDeviceGetCount = (delegate* unmanaged<int*, CUresult>)NativeLibrary.GetExport(library, "cuDeviceGetCount");
        _cuDeviceGet = (delegate* unmanaged<CUdevice*, int, CUresult>)NativeLibrary.GetExport(library, "cuDeviceGet");
        _cuDeviceGetName = (delegate* unmanaged<byte*, int, CUdevice, CUresult>)NativeLibrary.GetExport(library, "cuDeviceGetName");
        _cuDeviceTotalMem = (delegate* unmanaged<nuint*, CUdevice, CUresult>)NativeLibrary.GetExport(library, "cuDeviceTotalMem_v2");
        _cuDeviceGetAttribute = (delegate* unmanaged<int*, CUdevice_attribute, CUdevice, CUresult>)
            NativeLibrary.GetExport(library, "cuDeviceGetAttribute");
    }

    public void Initialise() => Check(_cuInit(0), "cuInit");

    /// <summary>The newest CUDA version that the driver supports, 1000·major + 10·minor. Legal before <see cref="Initialise"/>.</summary>
    public int Version()
    {
        int version;
        Check(_cuDriverGetVersion(&version), "cuDriverGetVersion");
        return version;
    }

    public int DeviceCount()
    {
        int count;
        Check(_cuDeviceGetCount(&count), "cuDeviceGetCount");
        return count;
    }

    public DeviceInfo Describe(int ordinal)
    {
        const int nameBytes = 256;
        CUdevice device;
        Check(_cuDeviceGet(&device, ordinal), "cuDeviceGet");
        byte* name = stackalloc byte[nameBytes];
        Check(_cuDeviceGetName(name, nameBytes, device), "cuDeviceGetName");
        nuint totalBytes;
        Check(_cuDeviceTotalMem(&totalBytes, device), "cuDeviceTotalMem_v2");
        return new(
            ordinal,
            Marshal.PtrToStringUTF8((nint)name)!,
            totalBytes,
            new Version(
                Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)));
    }

    private int Attribute(CUdevice device, CUdevice_attribute attribute)
    {
        int value;
        Check(_cuDeviceGetAttribute(&value, attribute, device), "cuDeviceGetAttribute");
        return value;
    }

    private static void Check(CUresult status, string function)
    {
        if (status != CUresult.CUDA_SUCCESS)
            throw new CudaException(status, function, null, CudaStatus.Name(status), provider: null);
    }
}
