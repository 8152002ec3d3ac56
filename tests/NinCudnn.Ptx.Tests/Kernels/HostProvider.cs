using System.Collections.Concurrent;
using System.Text;
using NinCudnn.Devices;
using NinCudnn.Interop;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

/// <summary>Runs kernels on the host provider, as a program would on a GPU: module, function, launch.</summary>
internal static unsafe class HostProvider
{
    private const int GuardBytes = 256;
    private const byte Guard = 0xc3;

    private static readonly Lazy<Device> _device = new(OpenUntilExit);
    private static readonly ConcurrentDictionary<string, Lazy<CUmodule>> _modules = [];

    // Released when the process ends, so that the host provider reports what else was left behind.
    private static Device OpenUntilExit()
    {
        Device device = Device.Open(DeviceRequest.Cpu);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            device.Synchronize(); // makes its context current
            foreach (Lazy<CUmodule> module in _modules.Values)
                Cuda.cuModuleUnload(module.Value).ThrowIfFailed();
            device.Dispose();
        };
        return device;
    }

    /// <summary>A buffer of a launch: its contents are replaced by what the launch leaves.</summary>
    internal sealed record Operand(string Name, byte[] Bytes, int Misalignment);

    /// <summary>Runs one launch and waits for it.</summary>
    /// <param name="family">The module.</param>
    /// <param name="entry">The kernel.</param>
    /// <param name="blocks">Blocks in the grid.</param>
    /// <param name="blockSize">Threads per block.</param>
    /// <param name="operands">The buffers.</param>
    /// <param name="arguments">Makes the parameters' bytes from the buffers' addresses.</param>
    public static void Launch(
        string family, string entry, uint blocks, uint blockSize, IReadOnlyList<Operand> operands, Func<ulong[], byte[][]> arguments)
    {
        Device device = _device.Value;
        device.Synchronize(); // makes its context current
        DeviceBuffer<byte>[] buffers =
            [.. operands.Select(operand => device.Allocate<byte>(2 * GuardBytes + operand.Misalignment + operand.Bytes.Length))];
        try
        {
            for (int i = 0; i < operands.Count; i++)
            {
                var bytes = new byte[buffers[i].Length];
                bytes.AsSpan().Fill(Guard);
                operands[i].Bytes.CopyTo(bytes, GuardBytes + operands[i].Misalignment);
                buffers[i].Upload(bytes);
            }
            ulong[] addresses =
                [.. buffers.Zip(operands, (buffer, operand) => buffer.Memory.Address.Value + (ulong)(GuardBytes + operand.Misalignment))];
            Launch(family, entry, blocks, blockSize, arguments(addresses));
            for (int i = 0; i < operands.Count; i++)
            {
                var bytes = new byte[buffers[i].Length];
                buffers[i].Download(bytes);
                int begin = GuardBytes + operands[i].Misalignment, end = begin + operands[i].Bytes.Length;
                bytes[begin..end].CopyTo(operands[i].Bytes, 0);
                if (bytes.AsSpan(0, begin).ContainsAnyExcept(Guard) || bytes.AsSpan(end).ContainsAnyExcept(Guard))
                    Assert.Fail($"{entry} on the host provider wrote beyond {operands[i].Name}");
            }
        }
        finally
        {
            foreach (DeviceBuffer<byte> buffer in buffers)
                buffer.Dispose();
        }
    }

    private static void Launch(string family, string entry, uint blocks, uint blockSize, byte[][] arguments)
    {
        CUmodule module = _modules.GetOrAdd(family, name => new Lazy<CUmodule>(() => Load(name))).Value;
        CUfunction function;
        fixed (byte* name = Encoding.UTF8.GetBytes(entry + '\0'))
            Cuda.cuModuleGetFunction(out function, module, name).ThrowIfFailed();
        const int LongestArgument = 8;
        byte* values = stackalloc byte[arguments.Length * LongestArgument];
        void** pointers = stackalloc void*[arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            arguments[i].CopyTo(new Span<byte>(values + i * LongestArgument, LongestArgument));
            pointers[i] = values + i * LongestArgument;
        }
        Cuda.cuLaunchKernel(function, blocks, 1, 1, blockSize, 1, 1, 0, default, pointers, null).ThrowIfFailed();
        Cuda.cuCtxSynchronize().ThrowIfFailed();
    }

    private static CUmodule Load(string family)
    {
        fixed (byte* image = Encoding.UTF8.GetBytes(ShippedPtx.Text(family) + '\0'))
        {
            Cuda.cuModuleLoadDataEx(out CUmodule module, image, 0, null, null).ThrowIfFailed();
            return module;
        }
    }
}
