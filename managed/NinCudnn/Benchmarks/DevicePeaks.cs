using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Benchmarks;

/// <summary>What a device reaches in practice: the roof that layers are held against.</summary>
/// <param name="FlopsPerSecond">Floating-point operations per second of a large matrix product.</param>
/// <param name="BytesPerSecond">Bytes per second read and written by a large copy.</param>
public sealed record DevicePeaks(double FlopsPerSecond, double BytesPerSecond)
{
    private const int Repetitions = 5;
    private const long CopyBytes = 256L << 20;
    private const int Channels = 1024;
    private static readonly TimeSpan _longEnough = TimeSpan.FromMilliseconds(10);

    /// <summary>The least time that work can take: the slower of arithmetic and memory.</summary>
    public TimeSpan LeastTime(double flops, double bytes) => TimeSpan.FromSeconds(Math.Max(flops / FlopsPerSecond, bytes / BytesPerSecond));

    /// <summary>Measures a device, with the best of a few repetitions.</summary>
    /// <exception cref="DeviceMemoryException">There is no room for the operands, about 600 MiB.</exception>
    public static DevicePeaks Measure(DeviceStream stream, OperatorOptions options)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(options);
        return new DevicePeaks(Arithmetic(stream, options), Copy(stream));
    }

    private static double Copy(DeviceStream stream)
    {
        using DeviceBuffer<byte> source = stream.AllocateZeros(CopyBytes), destination = stream.Device.Allocate<byte>(CopyBytes);
        TimeSpan time = Best(stream, () => stream.Copy(source.Memory, destination.Memory));
        return 2 * CopyBytes / time.TotalSeconds; // read and written
    }

    private static double Arithmetic(DeviceStream stream, OperatorOptions options)
    {
        // A 1×1 convolution is a product of (rows, channels) and (channels, channels); as many rows as keep the device busy.
        for (int rows = 1024; ; rows *= 4)
        {
            var shape = new ConvolutionShape(new TensorShape(1, Channels, 1, rows), Channels, 1, 1);
            using ConvolutionOperator product = ConvolutionOperator.Create(stream, shape, Activation.None, options);
            int bytes = options.DataType.Bytes();
            using DeviceBuffer<byte> x = stream.AllocateZeros(shape.Input.Count * bytes), y = stream.AllocateZeros(shape.Output.Count * bytes);
            using DeviceBuffer<byte> w = stream.AllocateZeros(shape.FilterCount * bytes), b = stream.AllocateZeros((long)Channels * bytes);
            using DeviceBuffer<byte> workspace = stream.AllocateZeros(Math.Max(product.ForwardWorkspaceBytes, 1));
            TimeSpan time = Best(stream, () => product.Forward(x, w, b, y, workspace));
            if (time >= _longEnough || rows >= 65536)
                return 2.0 * shape.MultiplyAdds / time.TotalSeconds;
        }
    }

    private static TimeSpan Best(DeviceStream stream, Action enqueue)
    {
        using DeviceEvent start = new(stream.Device, timing: true), end = new(stream.Device, timing: true);
        enqueue(); // warms up
        TimeSpan best = TimeSpan.MaxValue;
        for (int i = 0; i < Repetitions; i++)
        {
            start.Record(stream);
            enqueue();
            end.Record(stream);
            end.Synchronize();
            if (end.ElapsedSince(start) is var time && time < best)
                best = time;
        }
        return best;
    }
}
