using System.Text;
using System.Text.RegularExpressions;
using NinCudnn.Data;
using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using Xunit;

namespace Nin.Tests;

/// <summary>
/// The commands of README.md and docs/: all blocks that are marked <c>sh</c> are run, page by page and in order, in a directory with what a reader
/// would have. Blocks marked <c>sh norun (reason)</c> are not, and are counted as skipped with the reason.
/// </summary>
public sealed class PageTests : IDisposable
{
    private static readonly string _pages = Path.Combine(AppContext.BaseDirectory, "pages");

    private readonly TemporaryDirectory _root = new();

    public static TheoryData<string> Pages => [.. Directory.GetFiles(_pages, "*.md").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> PagesWithCommands => [.. Pages.Select(row => (string)row.Data!).Where(page => Blocks(page).Any(block => block.IsRun))];

    public static TheoryData<string, int, string> BlocksThatAreNotRun
    {
        get
        {
            var data = new TheoryData<string, int, string>();
            foreach (string page in Pages.Select(row => (string)row.Data!))
            {
                foreach (Block block in Blocks(page).Where(block => block is { IsShell: true, IsRun: false }))
                    data.Add(page, block.Line, block.Info);
            }
            return data;
        }
    }

    public void Dispose() => _root.Dispose();

    [Theory]
    [MemberData(nameof(PagesWithCommands))]
    public void Commands_OfAPage_Succeed(string page)
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("NIN_HOST_STREAMS") is "deferred" or "sync", "once is enough: other tests run in all modes");
        string path = Prepare();
        foreach (Block block in Blocks(page).Where(block => block.IsRun))
        {
            (string, string?)[] environment =
            [
                ("PATH", path), ("HOME", _root.File("home")), ("XDG_CONFIG_HOME", _root.File("home/.config")), ("NIN_NUM_THREADS", "2"),
            ];
            using NinProgram shell = NinProgram.Start(_root.File("work"), environment, "/bin/bash", "-euo", "pipefail", "-x", "-c", block.Text);
            ProgramResult result = shell.WaitForExit();
            Assert.True(result.ExitCode == 0, $"{page}, the block in line {block.Line}: exit code {result.ExitCode}\n{result.Errors}\n{result.Output}");
        }
    }

    [Theory]
    [MemberData(nameof(BlocksThatAreNotRun))]
    public void Commands_ThatCannotRunHere_SayWhy(string page, int line, string info)
    {
        Match reason = Regex.Match(info, @"^sh norun \((.+)\)$");
        Assert.True(reason.Success, $"{page}, line {line}: '{info}' must be 'sh norun (reason)'");
        Assert.Skip($"{page}, line {line}: {reason.Groups[1]}");
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Blocks_OfAPage_HaveALanguage(string page) =>
        Assert.All(Blocks(page), block => Assert.True(block.Info.Length > 0, $"{page}, line {block.Line}: say sh, or text if it is no command"));

    /// <summary>Makes a small copy of what pages speak of, and settings that let their commands take seconds.</summary>
    /// <returns>The search path for programs.</returns>
    private string Prepare()
    {
        Write("home/.config/nin/config.json", """
            {
              "device": "cpu",
              "train": { "epochs": 1, "resize": 72, "batch": 16, "limit-train": 32, "limit-test": 16 },
              "eval": { "limit-test": 16 },
              "bench": { "batch": 1, "resize": 72, "repetitions": 1 }
            }
            """);
        TinyData.Write(_root, "work/data/fashion-mnist");
        foreach (DatasetFile file in KnownDatasets.Cifar10.Files)
        {
            // Black aeroplanes without end, on no disk.
            Directory.CreateDirectory(_root.File("work/data/cifar10"));
            using FileStream stream = File.Create(_root.File($"work/data/cifar10/{file.Name}"));
            stream.SetLength(file.ContentBytes);
        }
        for (byte i = 0; i < 6; i++)
        {
            _root.Write($"work/flowers/daisy/{i}.png", ImageBytes.Png(20, 30, 250, 250, (byte)(200 + i)));
            _root.Write($"work/flowers/rose/{i}.png", ImageBytes.Png(30, 20, 200, i, i));
            _root.Write($"work/photos/{i}.png", ImageBytes.Png(40, 40, (byte)(40 * i), 0, 0));
        }
        _root.Write("work/shirt.png", ImageBytes.Png(28, 28, 90, 90, 90));
        _root.Write("work/photo-of-a-boot.jpg", ImageBytes.Encode(SkiaSharp.SKEncodedImageFormat.Jpeg, 60, 80, ImageBytes.Uniform(60, 80, 200, 180, 160)));
        return $"{Path.GetDirectoryName(NinProgram.Path)}:{Environment.GetEnvironmentVariable("PATH")}";
    }

    private void Write(string name, string text) => _root.Write(name, Encoding.UTF8.GetBytes(text));

    private static IEnumerable<Block> Blocks(string page)
    {
        string[] lines = File.ReadAllLines(Path.Combine(_pages, page));
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("```", StringComparison.Ordinal))
                continue;
            int start = i++;
            while (lines[i] != "```")
                i++;
            yield return new Block(start + 1, lines[start][3..].Trim(), string.Join('\n', lines[(start + 1)..i]));
        }
    }

    /// <summary>A fenced block.</summary>
    /// <param name="Line">Its first line in the page, from 1.</param>
    /// <param name="Info">What stands behind the fence.</param>
    /// <param name="Text">Its lines.</param>
    private sealed record Block(int Line, string Info, string Text)
    {
        public bool IsShell => Info.Split(' ')[0] == "sh";

        public bool IsRun => Info == "sh";
    }
}
