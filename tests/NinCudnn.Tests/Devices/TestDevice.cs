using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Tests.Devices;

/// <summary>
/// The device that the tests run on, opened once: the host provider, or what the environment variable NIN_TEST_DEVICE asks
/// for (the provider is chosen once per process). Tests share it and make their own streams. Disposed when the process ends, so that the
/// host provider's report of live objects shows what tests and library left behind.
/// </summary>
internal static class TestDevice
{
    public static DeviceRequest Request { get; } =
        DeviceRequest.Parse(Environment.GetEnvironmentVariable("NIN_TEST_DEVICE") is { Length: > 0 } text ? text : "cpu");

    private static readonly Lazy<Device> _shared = new(OpenUntilExit);

    public static Device Shared => _shared.Value;

    private static Device OpenUntilExit()
    {
        Device device = Device.Open(Request);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => device.Dispose();
        return device;
    }
}
