using System.Runtime.InteropServices;

namespace NinCudnn.Cli;

/// <summary>The limit of file sizes that <c>ulimit -f</c> sets.</summary>
internal static class FileSizeLimit
{
    private const PosixSignal SizeExceeded = (PosixSignal)25; // SIGXFSZ of Linux and macOS, which .NET has no name for

    /// <summary>
    /// Lets a write beyond the limit fail with a message, as one to a full disk does; otherwise the system ends the process without any.
    /// </summary>
    /// <returns>To be disposed of at the end; null where there is no such limit.</returns>
    public static IDisposable? TurnIntoFailure() =>
        OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(SizeExceeded, context => context.Cancel = true);
}
