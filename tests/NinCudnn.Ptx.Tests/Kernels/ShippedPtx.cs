using System.Collections.Concurrent;
using System.Text;
using NinCudnn.Devices;
using NinCudnn.Ptx.Tests.Ptx;

namespace NinCudnn.Ptx.Tests.Kernels;

/// <summary>The PTX modules that the library carries.</summary>
internal static class ShippedPtx
{
    private static readonly ConcurrentDictionary<(string Family, int Approximation), PtxModule> _modules = [];

    public static IReadOnlyList<string> Families { get; } =
    [
        .. typeof(Device).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".ptx", StringComparison.Ordinal))
            .Select(name => Path.GetFileNameWithoutExtension(name))
            .Order(StringComparer.Ordinal),
    ];

    public static string Text(string family)
    {
        using Stream resource = typeof(Device).Assembly.GetManifestResourceStream(family + ".ptx")
            ?? throw new InvalidOperationException($"the library has no kernel module {family}.ptx");
        using var reader = new StreamReader(resource, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    public static PtxModule Module(string family, int approximation = 0) =>
        _modules.GetOrAdd((family, approximation), key => PtxParser.Parse(family + ".ptx", Text(key.Family), key.Approximation));
}
