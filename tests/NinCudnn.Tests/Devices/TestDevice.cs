using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Tests.Devices;

/// <summary>
/// The device that the tests run on, opened once: the host provider, or what the environment variable NIN_TEST_DEVICE asks
/// for (the provider is chosen once per process). Tests share it and make their own streams.
/// </summary>
internal static class TestDevice
{
    public static DeviceRequest Request { get; } =
        DeviceRequest.Parse(Environment.GetEnvironmentVariable("NIN_TEST_DEVICE") is { Length: > 0 } text ? text : "cpu");

    private static readonly Lazy<Device> _shared = new(() => Device.Open(Request));

    public static Device Shared => _shared.Value;
}
