using System.Text.Json;
using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using SkiaSharp;
using Xunit;

namespace Nin.Tests;

/// <summary>Training and evaluation on a folder of images.</summary>
public sealed class ImageFolderTests : IDisposable
{
    private const int PerClass = 10;

    private readonly TemporaryDirectory _root = new();
    private readonly string _images;

    public ImageFolderTests()
    {
        _images = _root.File("colours");
        for (byte i = 0; i < PerClass; i++)
        {
            _root.Write($"colours/red/{i}.png", ImageBytes.Png(20 + i, 30, 250, i, 9));
            _root.Write($"colours/blue/{i}.webp", ImageBytes.Encode(SKEncodedImageFormat.Webp, 25, 20 + i, ImageBytes.Uniform(25, 20 + i, 9, i, 250)));
        }
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Train_ThenEval_AgreeOnTheTestImages()
    {
        ProgramResult run = Train("--json").Succeeded();
        JsonElement start = run.Events[0], epoch = run.Events[^2];
        Assert.Equal(("colours", 16, 4), (
            start.GetProperty("dataset").GetString(), start.GetProperty("train_samples").GetInt32(), start.GetProperty("test_samples").GetInt32()));

        string[] arguments = ["eval", "--checkpoint", _root.File("run"), "--images", _images, "--batch", "8", "--device", "cpu", "--json"];
        JsonElement result = Assert.Single(NinProgram.Run(arguments).Succeeded().Events);

        Assert.Equal(4, result.GetProperty("samples").GetInt32());
        Assert.Equal(epoch.GetProperty("test_accuracy").GetDouble(), result.GetProperty("accuracy").GetDouble());
        Assert.Equal(epoch.GetProperty("test_loss").GetDouble(), result.GetProperty("loss").GetDouble());
        JsonElement all = Assert.Single(NinProgram.Run([.. arguments, "--test-fraction", "1"]).Succeeded().Events);
        Assert.Equal(2 * PerClass, all.GetProperty("samples").GetInt32());
    }

    [Fact]
    public void Train_ToAPipe_TellsOfTheDecodingOnce()
    {
        string[] first = Train().Succeeded().Lines;
        Directory.Delete(_root.File("run"), recursive: true);
        string[] second = Train().Succeeded().Lines;

        // A line for each tenth of 16 images, then of 4.
        Assert.Equal(14, first.Count(line => line.StartsWith("decoded ", StringComparison.Ordinal)));
        Assert.Contains("decoded 16 of 16 images", first);
        Assert.DoesNotContain(second, line => line.StartsWith("decoded ", StringComparison.Ordinal));
        Assert.Contains("data     colours: 16 training and 4 test images", second);
    }

    [Fact]
    public void Train_OtherSizeAndChannels_AreTaken()
    {
        Train("--image-size", "40", "--channels", "1", "--limit-train", "6", "--limit-test", "2").Succeeded();

        NinProgram.Run("eval", "--checkpoint", _root.File("run"), "--images", _images, "--channels", "3", "--device", "cpu")
            .Failed(2, "colours test has images of 3 channels, the network takes 1");
        NinProgram.Run("eval", "--checkpoint", _root.File("run"), "--images", _images, "--device", "cpu").Succeeded();
    }

    [Fact]
    public void Train_BrokenFile_IsNamedOrSkipped()
    {
        string path = _root.Write("colours/red/broken.jpg", "nothing"u8);

        Train("--test-fraction", "0.1").Failed(1, path);
        ProgramResult result = Train("--test-fraction", "0.1", "--skip-broken");

        Assert.Equal((0, "nin: 1 of 19 train images can't be decoded and were skipped\n"), (result.ExitCode, result.Errors));
    }

    [Fact]
    public void Eval_OnOtherClasses_IsRefused()
    {
        Train().Succeeded();
        Directory.Move(_root.File("colours/red"), _root.File("colours/green"));

        NinProgram.Run("eval", "--checkpoint", _root.File("run"), "--images", _images, "--device", "cpu")
            .Failed(2, "colours test has the class green where the network has red");
    }

    [Fact]
    public void Train_NoFolderOfImages_SaysWhy()
    {
        NinProgram.Run("train", "--images", _root.File("nowhere")).Failed(1, $"{_root.File("nowhere")} does not exist");
        NinProgram.Run("train", "--images", _root.File("colours/red")).Failed(1, "holds no folders; it must hold one folder of images per class");
        NinProgram.Run("train", "--images", _images, "--test-fraction", "2").Failed(2, "the test fraction is 2, but must be above 0 and at most 1");
    }

    [Fact]
    public void Train_OnATerminal_ShowsABarAndNoLines()
    {
        const string Script = "/usr/bin/script";
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists(Script), $"needs {Script} of util-linux");
        string command = string.Join(' ', new[] { NinProgram.Path }.Concat(Arguments()).Select(word => $"'{word}'"));
        (string, string?)[] settings = [("TERM", "xterm-256color"), ("CI", null), ("NIN_CACHE_DIR", _root.File("cache"))];
        using NinProgram terminal = NinProgram.Start(null, settings, Script, "--quiet", "--return", "--command", command, "/dev/null");

        string screen = terminal.WaitForExit().Succeeded().Output;

        Assert.DoesNotContain("decoded ", screen, StringComparison.Ordinal);
        Assert.Contains("epoch 1/1: ", screen, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(_root.File("cache/images")));
    }

    private string[] Arguments(params string[] more) =>
        ["train", "--images", _images, "--resize", "68", "--batch", "8", "--epochs", "1", "--device", "cpu", "--output", _root.File("run"), .. more];

    private ProgramResult Train(params string[] more) => NinProgram.Run(Arguments(more));
}
