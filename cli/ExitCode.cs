namespace NinCudnn.Cli;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>Something failed: files, data, device.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM after saving; the shell's convention for an interrupted program.</summary>
    public const int Interrupted = 130;

    /// <summary>All of them, in words for users.</summary>
    public static IReadOnlyList<(int Code, string Meaning)> All { get; } =
    [
        (Success, "success"),
        (Failure, "something failed: a file, data, the device, a check of nin doctor; or some of several images or runs"),
        (Usage, "the command line, or a setting that completes it, is wrong; nothing was done"),
        (Interrupted, "stopped by Ctrl-C or SIGTERM, with what was done so far saved"),
    ];
}
