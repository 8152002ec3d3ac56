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
}
