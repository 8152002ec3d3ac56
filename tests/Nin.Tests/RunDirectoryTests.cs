using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using NinCudnn.Tests;
using SkiaSharp;
using Xunit;

namespace Nin.Tests;

/// <summary>What a run's directory holds beside the model and the metrics.</summary>
public sealed class RunDirectoryTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Document_OfARun_SaysWhatWasDone()
    {
        JsonElement document = Document(run.Path);

        Assert.Equal(("finished", "train", "--seed"), (
            document.GetProperty("status").GetString(), document.GetProperty("command_line")[0].GetString(),
            document.GetProperty("command_line").EnumerateArray().Select(word => word.GetString()).First(word => word == "--seed")));
        Assert.True(document.GetProperty("started").GetDateTimeOffset() < document.GetProperty("ended").GetDateTimeOffset());
        Assert.True(JsonElement.DeepEquals(run.Result.Events[0], document.GetProperty("start")));
        Assert.True(JsonElement.DeepEquals(run.Result.Events[^1], document.GetProperty("end")));
        Assert.Equal(0.1, document.GetProperty("recipe").GetProperty("learning_rate").GetDouble());
        Assert.Equal(10, document.GetProperty("architecture").GetProperty("layers").GetArrayLength());
        Assert.Matches(@"^\d+\.\d+\.\d+$", document.GetProperty("versions").GetProperty("onednn").GetString());
        Assert.Equal("Ankle boot", document.GetProperty("data").GetProperty("classes")[9].GetString());
    }

    [Fact]
    public void Document_DataHashes_AreGitsNamesOfTheBytes()
    {
        JsonElement data = Document(run.Path).GetProperty("data");
        byte[] pixels = File.ReadAllBytes(Path.Combine(run.Data, "t10k-images-idx3-ubyte"))[16..];
        byte[] labels = [.. File.ReadAllBytes(Path.Combine(run.Data, "t10k-labels-idx1-ubyte"))[8..].SelectMany(label => (byte[])[label, 0])];

        Assert.Equal(Hash(pixels), data.GetProperty("test").GetProperty("images_sha1").GetString());
        Assert.Equal(Hash(labels), data.GetProperty("test").GetProperty("labels_sha1").GetString());
        Assert.NotEqual(Hash(pixels), data.GetProperty("train").GetProperty("images_sha1").GetString());

#pragma warning disable CA5350 // git's names are such hashes
        static string Hash(byte[] content) => Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));
#pragma warning restore CA5350
    }

    [Fact]
    public void Document_EveryField_IsDescribed()
    {
        string text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "json.md"));
        string section = text[text.IndexOf("## `run.json`", StringComparison.Ordinal)..];
        string[] described = [.. Regex.Matches(section, @"^\| (`[\w.]+`(?:, `[\w.]+`)*) \|", RegexOptions.Multiline)
            .SelectMany(row => row.Groups[1].Value.Split(", ")).Select(name => name.Trim('`'))];

        Assert.Equal(Fields(Document(run.Path), "").Order(), described.Order());

        // Objects that are described elsewhere count as one field.
        static IEnumerable<string> Fields(JsonElement value, string prefix) => value.EnumerateObject().SelectMany(member =>
            member.Value.ValueKind == JsonValueKind.Object && member.Name is not ("start" or "end" or "recipe" or "architecture")
                ? Fields(member.Value, prefix + member.Name + ".")
                : [prefix + member.Name]);
    }

    [Fact]
    public void Curves_OfARun_AreAPicture()
    {
        using SKBitmap picture = SKBitmap.Decode(Path.Combine(run.Path, "curves.png"));
        Assert.Equal((800, 520), (picture.Width, picture.Height));
        Assert.Contains(picture.Pixels, pixel => pixel == new SKColor(0x1f, 0x77, 0xb4)); // the training loss
    }

    [Fact]
    public void Report_OfARun_NeedsNothingButItself()
    {
        string page = File.ReadAllText(Path.Combine(run.Path, "report.html"));

        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("http", page, StringComparison.OrdinalIgnoreCase);
        string[] sources = [.. Regex.Matches(page, "src=\"([^\"]*)\"").Select(match => match.Groups[1].Value)];
        Assert.All(sources, source =>
        {
            const string Prefix = "data:image/png;base64,";
            Assert.StartsWith(Prefix, source, StringComparison.Ordinal);
            using SKBitmap picture = SKBitmap.Decode(Convert.FromBase64String(source[Prefix.Length..]));
            Assert.NotNull(picture);
        });
        string[] titles = ["Curves", "Confusion", "Classes", "Worst mistakes", "First filters", "Time by layer", "Run"];
        Assert.Equal(titles, Regex.Matches(page, "<h2>(.*)</h2>").Select(match => match.Groups[1].Value));
        int mistakes = Regex.Count(page, "<figure>");
        Assert.InRange(mistakes, 1, TinyData.TestCount);
        Assert.Equal(mistakes + 2, sources.Length);
        Assert.DoesNotContain("Not measured", page, StringComparison.Ordinal);
        Assert.Contains("<tr><th>7.4</th>", page, StringComparison.Ordinal); // a layer's time
    }

    [Fact]
    public void Report_ConfusionMatrix_HoldsEveryTestImage()
    {
        string page = File.ReadAllText(Path.Combine(run.Path, "report.html"));

        MatchCollection cells = Regex.Matches(page, """<td class="(right|wrong)" style="--share:[01](?:\.\d+)?">(\d+)</td>""");

        Assert.Equal(TinyData.TestCount, cells.Sum(cell => int.Parse(cell.Groups[2].Value)));
        double accuracy = run.LastEpoch.GetProperty("test_accuracy").GetDouble();
        Assert.Equal(
            Math.Round(TinyData.TestCount * accuracy), cells.Where(cell => cell.Groups[1].Value == "right").Sum(cell => int.Parse(cell.Groups[2].Value)));
    }

    [Fact]
    public void Report_ThatCannotBeWritten_DoesNotFailTheRun()
    {
        _root.Write("run/report.html/taken", "a folder is in its place"u8);

        ProgramResult result = NinProgram.Run([.. TinyData.TrainArguments(run.Data), "--output", _root.File("run")]);

        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"^nin: the report could not be written: [^\n]+\n\z", result.Errors);
        Assert.Equal("finished", Document(_root.File("run")).GetProperty("status").GetString());
    }

    [Fact]
    public void NoReport_Asked_LeavesItOut()
    {
        NinProgram.Run([.. TinyData.TrainArguments(run.Data), "--no-report", "--output", _root.File("run")]).Succeeded();

        Assert.Equal(["checkpoints", "metrics.jsonl", "model.safetensors", "run.json"], Directory.GetFileSystemEntries(_root.File("run")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Document_OfARunThatWasStopped_SaysSo()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        using NinProgram program = NinProgram.Start(
            "train", "--data", run.Data, "--resize", "200", "--batch", "1", "--device", "cpu", "--json", "--output", _root.File("run"));
        program.WaitForLine("\"event\":\"progress\"");
        Assert.Equal("running", Document(_root.File("run")).GetProperty("status").GetString());
        program.Signal("INT");
        program.WaitForExit();

        JsonElement document = Document(_root.File("run"));

        Assert.Equal("stopped", document.GetProperty("status").GetString());
        Assert.Equal(0, document.GetProperty("end").GetProperty("epoch").GetInt32());
        Assert.False(File.Exists(_root.File("run/report.html"))); // there is nothing to show
    }

    [Fact]
    public void TensorBoard_Asked_GetsScalarsImagesAndHistograms()
    {
        NinProgram.Run([.. TinyData.TrainArguments(run.Data), "--tensorboard", "--no-report", "--output", _root.File("run")]).Succeeded();

        byte[] file = File.ReadAllBytes(Assert.Single(Directory.GetFiles(_root.File("run"), "events.out.tfevents.*")));
        var records = new List<string>();
        for (int offset = 0; offset < file.Length; offset += 16 + records[^1].Length)
            records.Add(Encoding.Latin1.GetString(file, offset + 12, (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(offset))));
        // The version, then four scalars for each of 8 steps; after each of two epochs four scalars, 24 tensors and 8 mistakes.
        Assert.Equal(1 + 8 * 4 + 2 * (4 + 24 + 8), records.Count);
        foreach (var (tag, count) in new[] { ("loss/train", 10), ("learning rate", 8), ("accuracy/test", 2), ("parameters/0.0.weight", 2), ("mistakes/8", 2) })
            Assert.Equal(count, records.Count(record => record.Contains(tag, StringComparison.Ordinal)));
    }

    private static JsonElement Document(string directory) => JsonElement.Parse(File.ReadAllText(Path.Combine(directory, "run.json")));
}
