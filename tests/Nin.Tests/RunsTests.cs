using System.Text.Json;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary><c>nin runs</c>, on two runs under ./runs.</summary>
public sealed class RunsTests(TwoRuns runs) : IClassFixture<TwoRuns>, IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void List_OfAFolder_HasALineForEachRun()
    {
        string[] lines = Runs("list").Succeeded().Lines;

        Assert.Equal(4, lines.Length);
        Assert.Matches(@"^run +started +recipe +device +epochs +test acc +samples/s +status$", lines[0]);
        Assert.Matches(@"^slow +\d{4}-\d\d-\d\d \d\d:\d\d +seed +.+ +2/2 +0\.\d{4} +\d+ +finished$", lines[2]);
        Assert.Matches(@"^fast +.* 1/1 ", lines[3]);
        Assert.Equal(lines, Runs("list", "runs").Succeeded().Lines);
    }

    [Fact]
    public void List_AsJson_IsTheDocuments()
    {
        JsonElement[] lines = Runs("list", "--json").Succeeded().Events;

        Assert.Equal([runs.Slow, runs.Fast], lines.Select(line => line.GetProperty("directory").GetString()));
        JsonElement document = JsonElement.Parse(File.ReadAllText(Path.Combine(runs.Slow, "run.json")));
        Assert.True(JsonElement.DeepEquals(document, lines[0].GetProperty("run")));
    }

    [Fact]
    public void List_WithABrokenRun_NamesItAndShowsTheOthers()
    {
        CopyOf(runs.Slow, "runs/slow");
        _root.Write("runs/broken/run.json", "{"u8);
        _root.Write("runs/other/notes.txt", "no run"u8);
        _root.Write("runs/newer/run.json", """{"format":2}"""u8);

        ProgramResult result = NinProgram.RunIn(_root.Path, [], "runs", "list");

        Assert.Equal((1, 3), (result.ExitCode, result.Lines.Length));
        string[] errors = [.. result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order()];
        Assert.Equal(2, errors.Length);
        Assert.StartsWith($"nin: {_root.File("runs/broken/run.json")}: ", errors[0], StringComparison.Ordinal);
        Assert.StartsWith($"nin: {_root.File("runs/newer/run.json")}", errors[1], StringComparison.Ordinal);
    }

    [Fact]
    public void List_FolderThatIsNotThere_Fails() => NinProgram.RunIn(_root.Path, [], "runs", "list").Failed(1, "runs");

    [Fact]
    public void Show_ByNameOrPath_SaysAllOfIt()
    {
        string output = Runs("show", "slow").Succeeded().Output;

        foreach (string line in new[]
        {
            @"^learning rate +0\.1$", @"^sgd momentum +0$", @"^augmentation +none$", @"^seed +0$", @"^training set +50 images [0-9a-f]{12}, labels [0-9a-f]{12}$",
            @"^status +finished$", @"^command +nin train ", @"^oneDNN +\d", @"^    1 +\d\.\d{4} +\d\.\d{4}", @"^    2 +\d\.\d{4} +\d\.\d{4}",
        })
        {
            Assert.Contains(output.Split('\n'), text => System.Text.RegularExpressions.Regex.IsMatch(text, line));
        }
        Assert.Equal(output, NinProgram.Run("runs", "show", runs.Slow + "/").Succeeded().Output);
    }

    [Fact]
    public void Show_NoRun_SaysWhatIsMissing() => Runs("show", "nothing").Failed(1, "nothing holds no run: there is no nothing/run.json");

    [Theory]
    [InlineData("\"format\": 1", "\"format\": 3", "has the format 3, this version reads 1")]
    [InlineData("\"recipe\": {", "\"recipe\": 1, \"other\": {", "recipe and architecture must be objects")]
    [InlineData("\"xavier_uniform\"", "\"\\ud800\"", "has a string that is no valid text")]
    [InlineData("\"seconds\": ", "\"seconds\": 1e300, \"other\": ", "a run can't have taken 1E+300 s")]
    public void Show_DocumentThatIsWrong_SaysWhatIs(string from, string to, string expected)
    {
        string copy = CopyOf(runs.Slow, "wrong"), path = Path.Combine(copy, "run.json"), document = File.ReadAllText(path);
        File.WriteAllText(path, document.Replace(from, to, StringComparison.Ordinal));
        Assert.NotEqual(document, File.ReadAllText(path));

        NinProgram.Run("runs", "show", copy).Failed(1, path, expected);
    }

    [Fact]
    public void Show_MetricsWithOtherLines_PassesThemOver()
    {
        string copy = CopyOf(runs.Slow, "other"), path = Path.Combine(copy, "metrics.jsonl");
        File.WriteAllText(path, "1\n[]\n{\"event\":3}\n" + File.ReadAllText(path));

        Assert.Equal(NinProgram.Run("runs", "show", runs.Slow).Succeeded().Lines[1..], NinProgram.Run("runs", "show", copy).Succeeded().Lines[1..]);
    }

    [Fact]
    public void Compare_TwoRuns_ShowsWhereTheyDiffer()
    {
        string[] lines = Runs("compare", "slow", "fast").Succeeded().Lines;

        Assert.Matches(@"^ +slow +fast$", lines[0]);
        Assert.Contains(lines, line => line.StartsWith("epochs  ", StringComparison.Ordinal) && line.EndsWith("  1", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("learning rate  ", StringComparison.Ordinal) && line.EndsWith("  0.01", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.StartsWith("seed  ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("test accuracy  ", StringComparison.Ordinal));
    }

    [Fact]
    public void Compare_AsJson_HasAValueForEachRun()
    {
        JsonElement comparison = Assert.Single(Runs("compare", "fast", "slow", "fast", "--json").Succeeded().Events);

        Assert.Equal([runs.Fast, runs.Slow, runs.Fast], comparison.GetProperty("directories").EnumerateArray().Select(directory => directory.GetString()));
        Assert.Equal("""["0.01","0.1","0.01"]""", comparison.GetProperty("differences").GetProperty("learning rate").GetRawText());
        Assert.Equal([1, 2, 1], comparison.GetProperty("ends").EnumerateArray().Select(end => end.GetProperty("epoch").GetInt32()));
    }

    [Fact]
    public void Compare_OneRun_IsRefused() => Assert.Equal(2, Runs("compare", "slow").ExitCode);

    [Fact]
    public void Show_RunThatWasKilled_HasNoResult()
    {
        string copy = CopyOf(runs.Slow, "killed");
        string document = File.ReadAllText(Path.Combine(copy, "run.json"));
        int end = document.IndexOf("\"end\": {", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(copy, "run.json"), document[..end].Replace("\"finished\"", "\"running\"", StringComparison.Ordinal) + "\"end\": null\n}\n");
        string metrics = File.ReadAllText(Path.Combine(copy, "metrics.jsonl"));
        File.WriteAllText(Path.Combine(copy, "metrics.jsonl"), metrics[..(metrics.IndexOf("\"epoch\":2", StringComparison.Ordinal) + 20)]); // within a line

        string[] lines = NinProgram.Run("runs", "show", copy).Succeeded().Lines;

        Assert.Contains(lines, line => line.StartsWith("status  ", StringComparison.Ordinal) && line.EndsWith(" running", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("test accuracy  ", StringComparison.Ordinal) && line.EndsWith(" -", StringComparison.Ordinal));
        Assert.StartsWith("    1  ", lines[^1], StringComparison.Ordinal);
    }

    private ProgramResult Runs(params string[] arguments) => NinProgram.RunIn(runs.Root, [], ["runs", .. arguments]);

    private string CopyOf(string directory, string name)
    {
        foreach (string file in Directory.GetFiles(directory, "*.json*"))
            _root.Write($"{name}/{Path.GetFileName(file)}", File.ReadAllBytes(file));
        return _root.File(name);
    }
}

/// <summary>Two runs of different length and learning rate: ./runs/slow, then ./runs/fast.</summary>
public sealed class TwoRuns : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public TwoRuns()
    {
        string[] arguments = [.. TinyData.TrainArguments(TinyData.Write(_root)), "--no-report"];
        NinProgram.RunIn(_root.Path, [], [.. arguments, "--output", "runs/slow"]).Succeeded();
        arguments[Array.IndexOf(arguments, "--epochs") + 1] = "1";
        NinProgram.RunIn(_root.Path, [], [.. arguments, "--lr", "0.01", "--output", "runs/fast"]).Succeeded();
    }

    public string Root => _root.Path;

    public string Slow => _root.File("runs/slow");

    public string Fast => _root.File("runs/fast");

    public void Dispose() => _root.Dispose();
}
