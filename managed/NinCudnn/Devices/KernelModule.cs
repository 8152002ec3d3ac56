using System.Collections.Concurrent;
using System.Text;
using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>
/// A loaded PTX module and its entry points. Operators keep entry points without a reference to the module, so the device, which owns it,
/// unloads it when nothing is left that was made from the device.
/// </summary>
internal sealed unsafe class KernelModule
{
    private const int LogBytes = 8192;

    private readonly ConcurrentDictionary<string, CUfunction> _functions = new();
    private readonly Device _device;
    private readonly string _name;
    private readonly CUmodule _handle;

    private KernelModule(Device device, string name, byte[] ptx)
    {
        _device = device;
        _name = name;
        device.MakeCurrent();
        byte* log = stackalloc byte[LogBytes];
        CUjit_option* options = stackalloc CUjit_option[2] { CUjit_option.CU_JIT_ERROR_LOG_BUFFER, CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES };
        void** values = stackalloc void*[2] { log, (void*)LogBytes };
        fixed (byte* image = ptx)
        {
            CUresult status = Cuda.cuModuleLoadDataEx(out _handle, image, 2, options, values);
            if (status != CUresult.CUDA_SUCCESS)
            {
                // The size cell now holds the bytes used.
                string text = Encoding.UTF8.GetString(log, (int)Math.Min((nuint)values[1], LogBytes)).TrimEnd('\0', '\n', ' ');
                throw new CudaException(status, nameof(Cuda.cuModuleLoadDataEx), $"The PTX module {name} was refused: {(text.Length == 0 ? "no log" : text)}");
            }
        }
    }

    /// <summary>Loads the module that was compiled from the .cu file of that name and embedded in this assembly.</summary>
    /// <exception cref="CudaException">The driver refused the PTX; the message has its log.</exception>
    public static KernelModule LoadEmbedded(Device device, string family)
    {
        using Stream resource = typeof(KernelModule).Assembly.GetManifestResourceStream(family + ".ptx")
            ?? throw new InvalidOperationException($"the assembly has no kernel module {family}.ptx");
        byte[] ptx = new byte[resource.Length + 1]; // the driver wants a NUL behind the text
        resource.ReadExactly(ptx, 0, (int)resource.Length);
        return new KernelModule(device, family, ptx);
    }

    /// <summary>An entry point by its name in the PTX.</summary>
    /// <exception cref="CudaException">The module has no such entry.</exception>
    public CUfunction Function(string entry) => _functions.GetOrAdd(entry, Find);

    private CUfunction Find(string entry)
    {
        _device.MakeCurrent();
        fixed (byte* name = Encoding.UTF8.GetBytes(entry + '\0'))
        {
            CUresult status = Cuda.cuModuleGetFunction(out CUfunction function, _handle, name);
            if (status != CUresult.CUDA_SUCCESS)
                throw new CudaException(status, nameof(Cuda.cuModuleGetFunction), $"It was asked for the entry {entry} of the kernel module {_name}");
            return function;
        }
    }

    /// <summary>Unloads it, with the device's context current.</summary>
    public void Unload() => _ = Cuda.cuModuleUnload(_handle); // nobody is left who could be told of a failure
}
