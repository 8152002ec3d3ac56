using System.Text;

namespace NinCudnn.Interop;

/// <summary>A native library or device that was asked for can't be had.</summary>
public sealed class NativeLibraryException : NativeException
{
    private NativeLibraryException(
        NativeProvider provider,
        string library,
        string summary,
        string? advice,
        IReadOnlyList<LoadAttempt> attempts,
        Exception? cause = null)
        : base(
            Compose(summary, advice, attempts),
            (cause as NativeException)?.Function ?? "NativeLibrary.Load",
            (cause as NativeException)?.Code ?? 0,
            (cause as NativeException)?.CodeName ?? "not available",
            provider, cause)
    {
        Library = library;
        Summary = summary;
        Attempts = attempts;
    }

    /// <summary>The logical name of the library, one of <see cref="NativeLibraryNames"/>.</summary>
    public string Library { get; }

    /// <summary>What is wrong, in one line and without the list of attempts.</summary>
    public string Summary { get; }

    /// <summary>Every path and name tried, in order.</summary>
    public IReadOnlyList<LoadAttempt> Attempts { get; }

    internal static NativeLibraryException NotFound(NativeProvider provider, string library, IReadOnlyList<LoadAttempt> attempts)
    {
        // The line for a user says what the system's loader said: of the places tried it is the one that should have worked.
        var telling = attempts.FirstOrDefault(attempt => attempt.Reason is not ("no such file" or "not an absolute path")) ?? attempts[0];
        string summary = $"{DisplayName(provider, library)} could not be loaded ({telling.Target}: {telling.Reason})";
        return new(provider, library, summary, Advice(provider, library), attempts);
    }

    internal static NativeLibraryException Unusable(NativeProvider provider, string library, string path, string why, Exception cause) =>
        new(provider, library, $"{DisplayName(provider, library)} ({path}) is not usable: {why}", null, [], cause);

    internal static NativeLibraryException NoDevice(NativeProvider provider) =>
        new(provider, NativeLibraryNames.Cuda, $"{DisplayName(provider, NativeLibraryNames.Cuda)} reports no device", null, []);

    internal static NativeLibraryException NoSuchDevice(NativeProvider provider, DeviceRequest request, int deviceCount)
    {
        string devices = deviceCount == 1 ? "is only cuda:0" : $"are only cuda:0 to cuda:{deviceCount - 1}";
        return new(provider, NativeLibraryNames.Cuda, $"{request} was requested, but there {devices}", null, []);
    }

    internal static NativeLibraryException NoProvider(NativeLibraryException cuda, NativeLibraryException host) =>
        new(NativeProvider.Host, host.Library, $"neither provider can be used: {cuda.Summary}; {host.Summary}",
            Advice(NativeProvider.Host, host.Library), [.. cuda.Attempts, .. host.Attempts], host);

    private static string DisplayName(NativeProvider provider, string library) => (provider, library) switch
    {
        (NativeProvider.Host, _) => "libnin_host",
        (_, NativeLibraryNames.Cuda) => "the CUDA driver",
        (_, NativeLibraryNames.Cudnn) => "cuDNN",
        (_, NativeLibraryNames.Cublas) => "cuBLAS",
        _ => "cuBLASLt",
    };

    private static string Advice(NativeProvider provider, string library) => (provider, library) switch
    {
        (NativeProvider.Host, _) =>
            "Build it with scripts/build-native.sh, or set NIN_HOST_LIBRARY to its full path.",
        (_, NativeLibraryNames.Cuda) =>
            "Install NVIDIA's driver for your GPU, or use the device \"cpu\".",
        (_, NativeLibraryNames.Cudnn) =>
            "Install cuDNN 9 for your CUDA version (for example the pip package nvidia-cudnn-cu12 or nvidia-cudnn-cu13 in the active " +
            "environment), or set NIN_CUDA_LIBRARY_DIR to the directory that holds it.",
        _ =>
            "Install the CUDA toolkit 12 or 13 (or the pip package nvidia-cublas-cu12 or nvidia-cublas in the active environment), " +
            "or set NIN_CUDA_LIBRARY_DIR to the directory that holds it.",
    };

    private static string Compose(string summary, string? advice, IReadOnlyList<LoadAttempt> attempts)
    {
        var message = new StringBuilder(summary).Append('.');
        if (attempts.Count > 0)
        {
            message.Append(" Tried:");
            foreach (var attempt in attempts)
                message.Append($"\n  {attempt.Target} ({attempt.Origin}): {attempt.Reason}");
        }
        if (advice is not null)
            message.Append(attempts.Count > 0 ? '\n' : ' ').Append(advice);
        return message.ToString();
    }
}
