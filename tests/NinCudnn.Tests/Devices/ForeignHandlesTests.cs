using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Devices;

/// <summary>Contexts, streams and memory of another library in the same process, here made through the driver directly.</summary>
[Collection(DeviceAlone.Name)]
public sealed unsafe class ForeignHandlesTests : IDisposable
{
    private readonly CUdevice _device;
    private readonly CUcontext _context;

    public ForeignHandlesTests()
    {
        _ = TestDevice.Shared; // chooses the provider
        Cuda.cuDeviceGet(out _device, TestDevice.Shared.Selection.Ordinal).ThrowIfFailed();
        Cuda.cuDevicePrimaryCtxRetain(out _context, _device).ThrowIfFailed();
        Cuda.cuCtxSetCurrent(_context).ThrowIfFailed();
    }

    public void Dispose() => Cuda.cuDevicePrimaryCtxRelease_v2(_device).ThrowIfFailed();

    [Fact]
    public void Operators_OnAnothersMemoryAndStream_ComputeThere()
    {
        CUdeviceptr memory = Allocate(6 * sizeof(float));
        Cuda.cuStreamCreate(out CUstream stream, (uint)CUstream_flags.CU_STREAM_NON_BLOCKING).ThrowIfFailed();
        float[] x = [-1, 2, float.NaN, -0.5f, 7, 0], y = new float[6];
        fixed (float* pointer = x)
            Cuda.cuMemcpyHtoD_v2(memory, pointer, 6 * sizeof(float)).ThrowIfFailed();

        using (Device device = Device.FromContext(_context, TestDevice.Request))
        using (DeviceStream wrapped = device.WrapStream(stream))
        using (var relu = new Relu(wrapped, new TensorShape(1, 6, 1, 1)))
        {
            DeviceMemory operand = device.WrapMemory(memory, 6 * sizeof(float));
            relu.Forward(operand, operand);
            using ExecutableGraph graph = wrapped.Capture(() => relu.Forward(operand, operand));
            graph.Launch();
            Assert.Equal(stream, wrapped.Handle);
        }

        // Stream and memory are still there, and their owner's.
        Cuda.cuStreamSynchronize(stream).ThrowIfFailed();
        fixed (float* pointer = y)
            Cuda.cuMemcpyDtoH_v2(pointer, memory, 6 * sizeof(float)).ThrowIfFailed();
        Assert.Equal([0, 2, float.NaN, 0, 7, 0], y);
        Cuda.cuStreamDestroy_v2(stream).ThrowIfFailed();
        Cuda.cuMemFree_v2(memory).ThrowIfFailed();
    }

    [Fact]
    public void FromContext_Dispose_LeavesTheContext()
    {
        Device device = Device.FromContext(_context, TestDevice.Request);
        DeviceBuffer<int> buffer = device.Allocate<int>(3);
        device.Dispose();
        buffer.Dispose();

        Cuda.cuCtxSetCurrent(_context).ThrowIfFailed();
        Cuda.cuCtxSynchronize().ThrowIfFailed();
        Assert.Equal(CUresult.CUDA_SUCCESS, Cuda.cuMemFree_v2(Allocate(16)));
    }

    [Fact]
    public void FromContext_Null_IsRefused() =>
        Assert.Equal("the context is null", Assert.Throws<ArgumentException>(() => Device.FromContext(default, TestDevice.Request)).Message);

    [Fact]
    public void FromContext_OfAnotherDevice_IsRefused()
    {
        Cuda.cuDeviceGetCount(out int count).ThrowIfFailed();
        Assert.SkipWhen(count < 2, "one device only; NIN_HOST_DEVICES=2 gives the host provider two");
        Cuda.cuDeviceGet(out CUdevice other, 1).ThrowIfFailed();
        Cuda.cuDevicePrimaryCtxRetain(out CUcontext context, other).ThrowIfFailed();
        try
        {
            Assert.Equal(
                "the context belongs to device 1, not to 0",
                Assert.Throws<ArgumentException>(() => Device.FromContext(context, TestDevice.Request)).Message);
        }
        finally
        {
            Cuda.cuDevicePrimaryCtxRelease_v2(other).ThrowIfFailed();
        }
    }

    [Fact]
    public void Wrap_StreamOrMemoryOfAnotherDevice_IsRefused()
    {
        Cuda.cuDeviceGetCount(out int count).ThrowIfFailed();
        Assert.SkipWhen(count < 2, "one device only; NIN_HOST_DEVICES=2 gives the host provider two");
        Cuda.cuDeviceGet(out CUdevice other, 1).ThrowIfFailed();
        Cuda.cuDevicePrimaryCtxRetain(out CUcontext context, other).ThrowIfFailed();
        Cuda.cuCtxSetCurrent(context).ThrowIfFailed();
        Cuda.cuStreamCreate(out CUstream stream, (uint)CUstream_flags.CU_STREAM_NON_BLOCKING).ThrowIfFailed();
        CUdeviceptr memory = Allocate(16);
        try
        {
            using Device device = Device.FromContext(_context, TestDevice.Request);
            Assert.Throws<ArgumentException>(() => device.WrapStream(stream));
            Assert.EndsWith("is memory of another context", Assert.Throws<ArgumentException>(() => device.WrapMemory(memory, 16)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Cuda.cuCtxSetCurrent(context).ThrowIfFailed();
            Cuda.cuMemFree_v2(memory).ThrowIfFailed();
            Cuda.cuStreamDestroy_v2(stream).ThrowIfFailed();
            Cuda.cuDevicePrimaryCtxRelease_v2(other).ThrowIfFailed();
        }
    }

    [Fact]
    public void WrapStream_Null_IsRefused()
    {
        using Device device = Device.FromContext(_context, TestDevice.Request);
        Assert.StartsWith("the stream is null", Assert.Throws<ArgumentException>(() => device.WrapStream(default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrapMemory_RangeThatIsNotThere_IsRefused()
    {
        using Device device = Device.FromContext(_context, TestDevice.Request);
        CUdeviceptr memory = Allocate(1000);

        Assert.Equal(new DeviceMemory(memory, 1000), device.WrapMemory(memory, 1000));
        Assert.Equal(new DeviceMemory(memory + 600, 400), device.WrapMemory(memory + 600, 400));
        Assert.EndsWith("reach beyond the allocation, of which 400 bytes are left there", Refusal(memory + 600, 401), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => device.WrapMemory(memory, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.WrapMemory(memory, -1));

        Cuda.cuMemFree_v2(memory).ThrowIfFailed();
        Assert.EndsWith("is no address that the driver knows", Refusal(memory, 1), StringComparison.Ordinal);
        Cuda.cuMemHostAlloc(out void* pinned, 16, 0).ThrowIfFailed();
        Assert.EndsWith("is not device memory", Refusal(new CUdeviceptr((ulong)pinned), 1), StringComparison.Ordinal);
        Cuda.cuMemFreeHost(pinned).ThrowIfFailed();

        string Refusal(CUdeviceptr address, long bytes) => Assert.Throws<ArgumentException>(() => device.WrapMemory(address, bytes)).Message;
    }

    private static CUdeviceptr Allocate(nuint bytes)
    {
        Cuda.cuMemAlloc_v2(out CUdeviceptr memory, bytes).ThrowIfFailed();
        return memory;
    }
}
