using System.Globalization;

namespace NinCudnn.Interop;

/// <summary>The device that a user asks for: <c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>; <c>cpu:N</c> where the host provider has several.</summary>
public sealed record DeviceRequest
{
    private DeviceRequest(NativeProvider? provider, int ordinal)
    {
        Provider = provider;
        Ordinal = ordinal;
    }

    /// <summary>The first GPU if CUDA is usable, else the CPU.</summary>
    public static DeviceRequest Auto { get; } = new(null, 0);

    /// <summary>The CPU, through the host provider.</summary>
    public static DeviceRequest Cpu { get; } = new(NativeProvider.Host, 0);

    /// <summary>The provider asked for; <see langword="null"/> for <see cref="Auto"/>.</summary>
    public NativeProvider? Provider { get; }

    /// <summary>The device's number among the provider's devices, from 0.</summary>
    public int Ordinal { get; }

    /// <summary>One particular GPU, and an error if it can't be had.</summary>
    /// <param name="ordinal">The GPU's number as the CUDA driver counts, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="ordinal"/> is negative.</exception>
    public static DeviceRequest Cuda(int ordinal)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
        return new(NativeProvider.Cuda, ordinal);
    }

    /// <summary>
    /// Reads <c>auto</c>, <c>cpu</c>, <c>cuda</c> (the first GPU) or <c>cuda:N</c>, in any case, and <c>cpu:N</c> for a host provider that was told to
    /// have several devices.
    /// </summary>
    /// <exception cref="FormatException">The text is none of these.</exception>
    public static DeviceRequest Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.ToLowerInvariant().Split(':') switch
        {
            ["auto"] => Auto,
            ["cpu"] => Cpu,
            ["cpu", var number] when TryParseOrdinal(number, out int ordinal) => new(NativeProvider.Host, ordinal),
            ["cuda"] => Cuda(0),
            ["cuda", var number] when TryParseOrdinal(number, out int ordinal) => Cuda(ordinal),
            _ => throw new FormatException($"\"{text}\" is not a device: use auto, cpu, cuda or cuda:N, where N counts GPUs from 0."),
        };
    }

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Provider switch
    {
        null => "auto",
        NativeProvider.Host when Ordinal == 0 => "cpu",
        NativeProvider.Host => string.Create(CultureInfo.InvariantCulture, $"cpu:{Ordinal}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"cuda:{Ordinal}"),
    };

    private static bool TryParseOrdinal(string text, out int ordinal) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ordinal);
}
