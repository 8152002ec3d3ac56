using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>Grid geometry, and the one place from which kernels are launched.</summary>
internal static unsafe class KernelLaunch
{
    /// <summary>Threads per block of all kernels but the loss.</summary>
    public const uint BlockSize = 256;

    /// <summary>Threads that reduce together.</summary>
    public const uint WarpSize = 32;

    // Kernels stride over the grid, so more blocks than fill a device gain nothing. 32 blocks of 256 threads per
    // multiprocessor are several waves on every current GPU.
    private const int BlocksPerMultiprocessor = 32;

    /// <summary>Blocks of <paramref name="blockSize"/> threads for <paramref name="threads"/> independent pieces of work.</summary>
    public static uint Blocks(Device device, long threads, uint blockSize = BlockSize) =>
        (uint)Math.Clamp((threads + blockSize - 1) / blockSize, 1, (long)device.MultiprocessorCount * BlocksPerMultiprocessor);

    /// <summary>Queues a one-dimensional launch.</summary>
    /// <param name="function">The kernel.</param>
    /// <param name="blocks">Blocks in the grid.</param>
    /// <param name="blockSize">Threads per block.</param>
    /// <param name="arguments">For each parameter the address of its value; the values are copied during the call.</param>
    /// <param name="stream">The stream.</param>
    public static void Run(CUfunction function, uint blocks, uint blockSize, void** arguments, DeviceStream stream)
    {
        stream.Device.MakeCurrent();
        Cuda.cuLaunchKernel(function, blocks, 1, 1, blockSize, 1, 1, 0, stream.Handle, arguments, null).ThrowIfFailed();
    }
}
