using System.Runtime.InteropServices;
using NinCudnn.Devices;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;

namespace NinCudnn.Tests.Operators;

/// <summary>
/// A stream and buffers for one test. Outputs start as NaN and have guards on both sides, so that what an operator leaves out
/// or writes too much is noticed.
/// </summary>
internal sealed class OperatorFixture : IDisposable
{
    private const int GuardBytes = 256;
    private const byte Poison = 0xFF; // four of them are a NaN

    private readonly List<IDisposable> _owned = [];
    private readonly List<DeviceBuffer<byte>> _guarded = [];

    public DeviceStream Stream { get; } = TestDevice.Shared.CreateStream();

    public Device Device => Stream.Device;

    public T Own<T>(T item)
        where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }

    /// <summary>Device memory with these values.</summary>
    public DeviceMemory Upload<T>(ReadOnlySpan<T> values)
        where T : unmanaged => Fill(MemoryMarshal.AsBytes(values));

    /// <summary>Device memory with a tensor given in NCHW, stored in NHWC.</summary>
    public DeviceMemory UploadNchw(float[] values, int[] shape) => Upload<float>(Layout.ToNhwc(values, shape));

    /// <summary>Device memory full of NaN.</summary>
    public DeviceMemory Output(long bytes)
    {
        var content = new byte[bytes];
        Array.Fill(content, Poison);
        return Fill(content);
    }

    /// <summary>Waits and reads device memory.</summary>
    public T[] Download<T>(DeviceMemory memory)
        where T : unmanaged
    {
        CheckGuards();
        var values = new T[memory.Bytes / Marshal.SizeOf<T>()];
        using DeviceBuffer<T> copy = Device.Allocate<T>(values.Length);
        Stream.Copy(memory, copy.Memory);
        copy.Download(values);
        return values;
    }

    /// <summary>Waits and reads a tensor stored in NHWC as NCHW.</summary>
    public float[] DownloadNchw(DeviceMemory memory, int[] shape) => Layout.ToNchw(Download<float>(memory), shape);

    /// <summary>Checks that a call refuses each of its operands when it is one byte too short. Empty operands are left out.</summary>
    /// <param name="call">The call, which gets all operands in order.</param>
    /// <param name="operands">Operands of exactly the length needed.</param>
    public static void CheckShortOperands(Action<DeviceMemory[]> call, params DeviceMemory[] operands)
    {
        for (int i = 0; i < operands.Length; i++)
        {
            if (operands[i].Bytes == 0)
                continue;
            DeviceMemory[] oneShort = [.. operands];
            oneShort[i] = operands[i].Slice(0, operands[i].Bytes - 1);
            var error = Xunit.Assert.Throws<ArgumentException>(() => call(oneShort));
            Xunit.Assert.Contains($"has {oneShort[i].Bytes} bytes", error.Message, StringComparison.Ordinal);
            Xunit.Assert.Contains($"{operands[i].Bytes} are needed", error.Message, StringComparison.Ordinal);
        }
    }

    public void Dispose()
    {
        CheckGuards();
        _owned.ForEach(item => item.Dispose());
        _guarded.ForEach(buffer => buffer.Dispose());
        Stream.Dispose();
    }

    private DeviceMemory Fill(ReadOnlySpan<byte> content)
    {
        DeviceBuffer<byte> buffer = Device.Allocate<byte>(content.Length + 2 * GuardBytes);
        var guarded = new byte[buffer.Length];
        Array.Fill(guarded, Poison);
        content.CopyTo(guarded.AsSpan(GuardBytes));
        buffer.Upload(guarded);
        _guarded.Add(buffer);
        return buffer.Memory.Slice(GuardBytes, content.Length);
    }

    private void CheckGuards()
    {
        foreach (DeviceBuffer<byte> buffer in _guarded)
        {
            var content = new byte[buffer.Length];
            buffer.Download(content);
            if (content.AsSpan(0, GuardBytes).ContainsAnyExcept(Poison) || content.AsSpan(content.Length - GuardBytes).ContainsAnyExcept(Poison))
                Xunit.Assert.Fail($"an operator wrote outside its operand of {buffer.Length - 2 * GuardBytes} bytes");
        }
    }
}

/// <summary>Reorders tensors between PyTorch's NCHW and the device's NHWC.</summary>
internal static class Layout
{
    public static float[] ToNhwc(float[] values, int[] shape) => Reorder(values, shape, toNhwc: true);

    public static float[] ToNchw(float[] values, int[] shape) => Reorder(values, shape, toNhwc: false);

    public static TensorShape Shape(int[] nchw) => new(nchw[0], nchw[1], nchw[2], nchw[3]);

    private static float[] Reorder(float[] values, int[] shape, bool toNhwc)
    {
        var (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3]);
        var result = new float[values.Length];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < c; j++)
            {
                for (int k = 0; k < h * w; k++)
                {
                    int nchw = (i * c + j) * h * w + k, nhwc = (i * h * w + k) * c + j;
                    if (toNhwc)
                        result[nhwc] = values[nchw];
                    else
                        result[nchw] = values[nhwc];
                }
            }
        }
        return result;
    }
}
