using BenchmarkDotNet.Attributes;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Bench;

/// <summary>A benchmark on the default device, with a stream, and with owners that go at the end.</summary>
public abstract class DeviceBenchmark
{
    private readonly Stack<IDisposable> _owned = [];

    private protected Device Device { get; private set; } = null!;

    private protected DeviceStream Stream { get; private set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        Device = Own(Device.Open(DeviceRequest.Auto));
        Stream = Own(Device.CreateStream());
        Prepare();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        while (_owned.TryPop(out IDisposable? item))
            item.Dispose();
    }

    private protected abstract void Prepare();

    private protected T Own<T>(T item)
        where T : IDisposable
    {
        _owned.Push(item);
        return item;
    }

    private protected DeviceMemory Floats(long count) => Own(SyntheticData.Floats(Device, count)).Memory;

    private protected DeviceMemory Bytes(long count) => Own(Device.Allocate<byte>(Math.Max(count, 1))).Memory;
}
