using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using NinCudnn.Devices;
using NinCudnn.Formats;
using NinCudnn.Interop;
using NinCudnn.Numerics;

namespace NinCudnn.Operators;

/// <summary>
/// Methods chosen earlier on the same device with the same libraries, in a JSON file. A file that can't be read or written
/// costs the measurement again, and nothing else.
/// </summary>
public sealed class TuningCache
{
    private readonly string _path;
    private readonly string _device;
    private readonly Dictionary<string, string> _choices;

    /// <summary>Reads the choices for a device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="directory">Where files are kept; null for <see cref="DefaultDirectory"/>.</param>
    public TuningCache(Device device, string? directory = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        _device = Describe(device);
        string name = string.Create(CultureInfo.InvariantCulture, $"algorithms-{Fnv1a.Hash64(_device):x16}.json");
        _path = Path.Combine(directory ?? DefaultDirectory(), name);
        _choices = Read();
    }

    /// <summary><c>$NIN_CACHE_DIR</c>, else <c>nincudnn</c> in <c>$XDG_CACHE_HOME</c>, in <c>~/.cache</c>, or on Windows in the local application data.</summary>
    public static string DefaultDirectory()
    {
        if (Environment.GetEnvironmentVariable("NIN_CACHE_DIR") is { Length: > 0 } own)
            return own;
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string parent = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg
            : Path.Combine(home, ".cache");
        return Path.Combine(parent, "nincudnn");
    }

    internal string? Find(string problem) => _choices.GetValueOrDefault(problem);

    internal void Add(string problem, string method)
    {
        // Another process may have added some meanwhile.
        foreach (var (other, choice) in Read())
            _choices.TryAdd(other, choice);
        _choices[problem] = method;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            using var file = new AtomicFile(_path);
            JsonSerializer.Serialize(file.Stream, new TuningFile(_device, _choices), TuningFileContext.Default.TuningFile);
            file.Finish();
            file.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private Dictionary<string, string> Read()
    {
        try
        {
            TuningFile? file = JsonSerializer.Deserialize(File.ReadAllBytes(_path), TuningFileContext.Default.TuningFile);
            return file?.Device == _device && file.Choices is not null ? file.Choices : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }

    private static string Describe(Device device)
    {
        var text = new StringBuilder($"{device.Name}, compute capability {device.ComputeCapability}");
        foreach (LoadedLibrary library in device.Selection.Libraries)
            text.Append(CultureInfo.InvariantCulture, $", {library.Name} {library.Version}");
        return text.ToString();
    }
}

/// <summary>The file's content.</summary>
/// <param name="Device">Device and library versions that the choices hold for.</param>
/// <param name="Choices">The chosen method by direction, shape, type and limits.</param>
internal sealed record TuningFile(string Device, Dictionary<string, string> Choices);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(TuningFile))]
internal sealed partial class TuningFileContext : JsonSerializerContext;
