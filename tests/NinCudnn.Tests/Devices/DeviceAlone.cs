using Xunit;

namespace NinCudnn.Tests.Devices;

/// <summary>Tests that look at what the whole device holds: they run after all others, one at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DeviceAlone
{
    public const string Name = "Device alone";
}
