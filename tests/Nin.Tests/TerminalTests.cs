using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>The live display, seen by a program that pretends to be a terminal.</summary>
public sealed class TerminalTests : IDisposable
{
    private const string Script = "/usr/bin/script";
    private const string HideCursor = "\e[?25l";
    private const string ShowCursor = "\e[?25h";

    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Train_OnATerminal_ShowsProgressAndLeavesTheCursor()
    {
        string screen = TrainOnTerminal();

        Assert.Contains(HideCursor, screen, StringComparison.Ordinal);
        Assert.True(screen.LastIndexOf(ShowCursor, StringComparison.Ordinal) > screen.LastIndexOf(HideCursor, StringComparison.Ordinal));
        Assert.Contains("\e[38;5;", screen, StringComparison.Ordinal);
        Assert.Contains("epoch 2/2: ", screen, StringComparison.Ordinal);
        Assert.Contains($"files in {_root.File("run")}", screen, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WithNoColor_HasNoColors() =>
        Assert.DoesNotMatch("\e\\[[0-9;]*[34][0-9]", TrainOnTerminal(("NO_COLOR", "1")));

    [Fact]
    public void Train_OnADumbTerminal_WritesPlainLines()
    {
        string screen = TrainOnTerminal(("TERM", "dumb"));

        Assert.DoesNotContain("\e", screen, StringComparison.Ordinal);
        Assert.Contains("epoch 2/2, step 4/4: ", screen, StringComparison.Ordinal);
    }

    private string TrainOnTerminal(params (string Name, string? Value)[] environment)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists(Script), $"needs {Script} of util-linux");
        string[] words = [NinProgram.Path, .. TinyData.TrainArguments(TinyData.Write(_root)), "--output", _root.File("run")];
        string command = string.Join(' ', words.Select(word => $"'{word}'"));
        (string, string?)[] settings = [("TERM", "xterm-256color"), ("NO_COLOR", null), ("CI", null), .. environment];
        using NinProgram terminal = NinProgram.Start(null, settings, Script, "--quiet", "--return", "--command", command, "/dev/null");
        return terminal.WaitForExit().Succeeded().Output;
    }
}
