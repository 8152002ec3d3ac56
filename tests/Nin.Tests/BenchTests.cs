using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

[Trait("Modes", "all")]
public sealed class BenchTests
{
    private static readonly string[] _small = ["bench", "--resize", "72", "--batch", "2", "--repetitions", "3", "--device", "cpu"];

    [Fact]
    public void Bench_Table_HasEveryStepAndTheTotals()
    {
        string[] lines = NinProgram.Run(_small).Succeeded().Lines;

        Assert.StartsWith("seed: training step, 2 images of 1×72×72, fp32, on ", lines[0], StringComparison.Ordinal);
        Assert.Matches(@"^peaks   [\d,]+ GFLOP/s in a matrix product, [\d.]+ GB/s in a copy$", lines[1]);
        Assert.Contains(lines, line => Regex.IsMatch(line, "^2\\.0 +forward +cuDNN Float32 NHWC "));
        Assert.Contains(lines, line => Regex.IsMatch(line, "^0\\.2 +filter gradient +cuBLASLt 0 "));
        Assert.Contains(lines, line => Regex.IsMatch(line, "^sgd +update "));
        Assert.Matches(@"^step    [\d.]+ ms replayed \([\d.]+ to [\d.]+\): [\d.]+ samples/s$", lines[^3]);
        Assert.Matches(@"^enqueue [\d.]+ µs replayed, [\d.]+ µs call by call$", lines[^2]);
    }

    [Fact]
    public void Bench_Json_AddsUp()
    {
        using JsonDocument document = JsonDocument.Parse(NinProgram.Run([.. _small, "--json"]).Succeeded().Output);
        JsonElement root = document.RootElement;
        JsonElement[] layers = [.. root.GetProperty("layers").EnumerateArray()];

        Assert.Equal(64, layers.Length);
        Assert.Equal(1, layers.Sum(layer => layer.GetProperty("share").GetDouble()), 1e-9);
        Assert.All(layers, layer => Assert.InRange(
            layer.GetProperty("seconds").GetProperty("median").GetDouble(),
            layer.GetProperty("seconds").GetProperty("low").GetDouble(), layer.GetProperty("seconds").GetProperty("high").GetDouble()));
        // Forward and both gradients of all convolutions, but no gradient towards the images.
        double flop = layers.Where(layer => layer.GetProperty("layer").GetString() == "2.2").Sum(layer => layer.GetProperty("flop").GetDouble());
        Assert.Equal(3 * 2 * 2.0 * 256 * 256 * 7 * 7, flop);
        Assert.Equal(
            2 / root.GetProperty("step").GetProperty("median").GetDouble(), root.GetProperty("samples_per_second").GetDouble(), 1e-6 * root.GetProperty("samples_per_second").GetDouble());
    }

    [Fact]
    public void Bench_StepOnlyInference_MeasuresTheWholeOnly()
    {
        using JsonDocument document = JsonDocument.Parse(NinProgram.Run([.. _small, "--step-only", "--inference", "--json"]).Succeeded().Output);
        JsonElement root = document.RootElement;
        Assert.Equal("inference", root.GetProperty("mode").GetString());
        Assert.Equal(0, root.GetProperty("layers").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("peak_bytes_per_second").ValueKind);
        Assert.True(root.GetProperty("samples_per_second").GetDouble() > 0);
    }

    [Fact]
    public void Bench_Csv_IsATable()
    {
        string[][] rows = [.. NinProgram.Run([.. _small, "--inference", "--csv"]).Succeeded().Lines.Select(line => line.Split(','))];
        Assert.All(rows, row => Assert.Equal(rows[0].Length, row.Length));
        int median = Array.IndexOf(rows[0], "median_ms");
        Assert.All(rows.Skip(1), row => Assert.True(double.Parse(row[median], CultureInfo.InvariantCulture) > 0));
        Assert.DoesNotContain(rows, row => row[1] == "BackwardFilter");
    }

    [Fact]
    public void Bench_Plot_WritesAPictureByItsName()
    {
        using var directory = new TemporaryDirectory();
        string png = directory.File("bench.png"), svg = directory.File("bench.svg");
        NinProgram.Run([.. _small, "--plot", png]).Succeeded();
        NinProgram.Run([.. _small, "--inference", "--plot", svg]).Succeeded();

        byte[] image = File.ReadAllBytes(png);
        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], image[..8]);
        Assert.Equal((1600, 700), (BinaryPrimitives.ReadInt32BigEndian(image.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(image.AsSpan(20))));
        string[] texts = [.. XDocument.Load(svg).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value.Trim())];
        Assert.Contains("FLOP per byte", texts);
        Assert.Contains("4.0", texts);
        Assert.DoesNotContain("filter gradient", texts);
        Assert.Equal(["bench.png", "bench.svg"], directory.Files());
    }

    [Fact]
    public void Bench_PlotThatCannotBe_IsRefusedAtOnce()
    {
        NinProgram.Run([.. _small, "--plot", "bench.jpg"]).Failed(2, "must be named .png or .svg");
        NinProgram.Run([.. _small, "--plot", "/no-such-directory/bench.png"]).Failed(2, "there is no directory /no-such-directory for the picture");
        NinProgram.Run([.. _small, "--plot", "bench.png", "--step-only"]).Failed(2, "--plot needs the layers' times, which are not measured with --step-only or --model");
    }

    [Fact]
    public void Bench_Model_IsLabelledAsComputed()
    {
        string[] lines = NinProgram.Run("bench", "--model", "t4", "--device", "cpu", "--batch", "1").Succeeded().Lines;
        Assert.StartsWith("COMPUTED, NOT MEASURED", lines[1], StringComparison.Ordinal);
        // 2·96·96·54·54 operations at 8.1 TFLOP/s against 2·4·96·54·54 bytes at 320 GB/s: memory, 7.0 µs, and 1.5 µs for the launch.
        Assert.Contains(lines, line => System.Text.RegularExpressions.Regex.IsMatch(line, @"^0\.2 +forward +8\.6 +[\d.]+% +memory$"));
        Assert.Matches(@"^step at least [\d.]+ ms: at most \d+ samples/s$", lines[^1]);
    }

    [Fact]
    public void Bench_UnknownModel_ListsTheModels() =>
        NinProgram.Run("bench", "--model", "abacus").Failed(2, "--model is 'abacus', but must be h100 or a100 or rtx4090 or t4");
}
