using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>Opens candidates in order until one fits, and records why the others didn't. It knows no paths or names.</summary>
internal static class LibraryLoader
{
    /// <summary>Opens the first candidate that loads and exports <paramref name="requiredExport"/>; null when none does.</summary>
    public static OpenedLibrary? Open(IEnumerable<LibraryCandidate> candidates, string requiredExport, List<LoadAttempt> attempts)
    {
        foreach (var candidate in candidates)
        {
            string? refusal = candidate.Refusal;
            if (refusal is null && TryLoad(candidate.Target, out nint handle, out refusal))
            {
                if (NativeLibrary.TryGetExport(handle, requiredExport, out nint address))
                {
                    bool isPath = Path.IsPathFullyQualified(candidate.Target);
                    return new(handle, (isPath ? null : FileOf(address)) ?? candidate.Target);
                }
                NativeLibrary.Free(handle);
                refusal = $"has no function {requiredExport}";
            }
            attempts.Add(new(candidate.Target, candidate.Origin, refusal!));
        }
        return null;
    }

    private static bool TryLoad(string target, out nint handle, out string? refusal)
    {
        handle = 0;
        refusal = null;
        try
        {
            handle = NativeLibrary.Load(target);
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            refusal = LoaderText(e.Message, target);
            return false;
        }
    }

    /// <summary>
    /// The system loader's own words: on Unix the last line of the message, after the runtime's general advice, and there what
    /// follows the file's name.
    /// </summary>
    private static string LoaderText(string message, string target)
    {
        string text = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
        return text.StartsWith(target + ": ", StringComparison.Ordinal) ? text[(target.Length + 2)..] : text;
    }

    /// <summary>The file that holds a loaded function, which for a bare name only the system knows.</summary>
    private static string? FileOf(nint address)
    {
        using var process = Process.GetCurrentProcess();
        foreach (ProcessModule module in process.Modules)
        {
            if (address >= module.BaseAddress && address - module.BaseAddress < module.ModuleMemorySize)
                return module.FileName;
        }
        return null;
    }
}

/// <summary>A library that is loaded and stays so.</summary>
internal readonly record struct OpenedLibrary(nint Handle, string Path);
