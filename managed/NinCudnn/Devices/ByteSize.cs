using System.Globalization;

namespace NinCudnn.Devices;

/// <summary>Sizes in bytes as people read them.</summary>
public static class ByteSize
{
    /// <summary>For example <c>1.4 GiB</c>: binary units, one decimal from KiB on.</summary>
    public static string Format(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        double value = bytes;
        int unit = 0;
        for (; Math.Abs(value) >= 1024 && unit < units.Length - 1; unit++)
            value /= 1024;
        return value.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    /// <summary>Reads a number of bytes with an optional binary suffix K, M or G, for example <c>64M</c>.</summary>
    /// <exception cref="FormatException">The text is none.</exception>
    public static long Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int shift = text.Length == 0 ? 0 : char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        string digits = shift == 0 ? text : text[..^1];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= long.MaxValue >> shift
            ? value << shift
            : throw new FormatException($"'{text}' is no number of bytes; write for example 512M, with K, M, G or nothing at the end");
    }
}
