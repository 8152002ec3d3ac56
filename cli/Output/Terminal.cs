using Spectre.Console;

namespace NinCudnn.Cli.Output;

/// <summary>What is particular to terminals that people look at.</summary>
internal static class Terminal
{
    /// <summary>Whether standard output is such a terminal, where lines can be written over.</summary>
    public static bool IsLive =>
        !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities is { Ansi: true, Interactive: true };

    /// <summary>Writes a line above a live display, if there is one.</summary>
    public static void WriteLine(IAnsiConsole console, string text) =>
        // Padded to the right end: else remains of the display that was there show behind lines that are shorter.
        console.Write(new Padder(new Text(text), new Padding(0)).Expand());
}
