using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using NinCudnn.Training;
using Xunit;

namespace Nin.Tests;

/// <summary>Data and models at the edge of what can be, and beyond it: a right run, or one line that says what is wrong where.</summary>
public sealed class BadInputTests : IDisposable
{
    private const int ImageSize = 28;

    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Model_WithNaN_IsRefusedByAllThatUseIt()
    {
        string path = ColourModel.Write(_root), image = _root.Write("red.png", ImageBytes.Png(8, 8, 255, 0, 0)), expected = $"{path}: element 4 of 0.2.weight is NaN";
        ModelFile model = ModelFile.Load(path);
        model.Parameters["0.2.weight"][4] = float.NaN;
        model.Save(path);

        NinProgram.Run("predict", image, "--checkpoint", path, "--device", "cpu").Failed(1, expected);
        NinProgram.Run("eval", "--checkpoint", path, "--data", TinyData.Write(_root), "--device", "cpu").Failed(1, expected);
        NinProgram.Run("export", path, "--format", "onnx", "--output", _root.File("model.onnx")).Failed(1, expected);
        Assert.False(File.Exists(_root.File("model.onnx")));
    }

    [Fact]
    public void Train_SetWithoutImages_SaysWhere()
    {
        Write(count: 4);
        string path = _root.Write("data/train-images-idx3-ubyte", IdxBytes.Of(8, [0, ImageSize, ImageSize], []));

        Train().Failed(1, $"{path}: dimension 0 at offset 4 is 0");
    }

    [Fact]
    public void Train_FilesWithoutBytes_AreNamed()
    {
        Write(count: 4);
        string path = _root.Write("data/train-labels-idx1-ubyte", []);

        Train().Failed(1, $"{path}: the content ends at offset 0");
    }

    [Fact]
    public void Train_FewerLabelsThanImages_SaysBoth()
    {
        Write(count: 4);
        string path = _root.Write("data/train-labels-idx1-ubyte", IdxBytes.Labels(1, 2, 3));

        Train().Failed(1, $"{path}: 3 labels at offset 4, but ", "has 4 images");
    }

    [Fact]
    public void Train_HeaderThatClaimsAllMemory_IsRefused()
    {
        Write(count: 4);
        string path = _root.Write("data/train-images-idx3-ubyte", IdxBytes.Of(8, [int.MaxValue, int.MaxValue, int.MaxValue], [1, 2, 3]));

        Train().Failed(1, $"{path}: the header at offset 4 says 2147483647×2147483647×2147483647");
    }

    [Fact]
    public void Train_OneImageOfOneColour_Works()
    {
        // The channel has no variance, and the only class that has an image is the first.
        Write(count: 1);

        ProgramResult result = Train("--recipe", "quick", "--resize", "68", "--batch", "1000", "--epochs", "1", "--json").Succeeded();

        Assert.Equal(1, result.Events[0].GetProperty("train_samples").GetInt32());
        Assert.True(double.IsFinite(result.Events[^1].GetProperty("train_loss").GetDouble()));
    }

    [Fact]
    public void TrainOnImages_LinkToItself_IsNamed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege");
        _root.Write("images/a/1.png", ImageBytes.Png(8, 8, 1, 2, 3));
        _root.Write("images/b/1.png", ImageBytes.Png(8, 8, 1, 2, 3));
        File.CreateSymbolicLink(_root.File("images/b/loop.png"), "loop.png");

        NinProgram.Run("train", "--images", _root.File("images"), "--device", "cpu").Failed(1, "loop.png");
    }

    [Fact]
    public void TrainOnImages_FilesWithoutBytes_AreNamed()
    {
        foreach (string name in (string[])["a/1", "a/2", "b/1", "b/2"])
            _root.Write($"images/{name}.png", []);

        NinProgram.Run("train", "--images", _root.File("images"), "--device", "cpu").Failed(1, "/images/a/", ".png: no PNG, JPEG, BMP or WebP image");
    }

    [Fact]
    public void TrainOnImages_FolderNamedAsAnImage_IsNamed()
    {
        _root.Write("images/a/1.png", ImageBytes.Png(8, 8, 1, 2, 3));
        _root.Write("images/b/2.png/1.png", ImageBytes.Png(8, 8, 1, 2, 3));

        NinProgram.Run("train", "--images", _root.File("images"), "--device", "cpu").Failed(1, "/images/b holds the folder 2.png");
    }

    [Fact]
    public void TrainOnImages_OneImagePerClass_SaysThatNoneAreLeft()
    {
        _root.Write("images/a/1.png", ImageBytes.Png(8, 8, 1, 2, 3));
        _root.Write("images/b/1.png", ImageBytes.Png(8, 8, 1, 2, 3));

        NinProgram.Run("train", "--images", _root.File("images"), "--device", "cpu", "--output", _root.File("run")).Failed(1, "the split leaves no test images");
    }

    [Fact]
    public void Predict_FolderWithLinks_TakesEachImageOnce()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege");
        _root.Write("images/red.png", ImageBytes.Png(8, 8, 255, 0, 0));
        _root.Write("images/more/blue.png", ImageBytes.Png(8, 8, 0, 0, 255));
        Directory.CreateSymbolicLink(_root.File("images/more/up"), "..");
        Directory.CreateSymbolicLink(_root.File("linked"), "images");

        foreach (string name in (string[])["images", "linked"])
        {
            string[] lines = NinProgram.Run("predict", _root.File(name), "--checkpoint", ColourModel.Write(_root), "--device", "cpu").Succeeded().Lines;
            Assert.Equal([_root.File($"{name}/more/blue.png"), _root.File($"{name}/red.png")], lines.Select(line => line.Split(':')[0]));
        }
    }

    [Fact]
    public void Predict_FilesThatAreNoImages_AreNamedAndTheOthersGoOn()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege");
        string[] broken = [_root.Write("empty.png", []), _root.File("loop.png"), _root.File("dangling.png"), _root.Write("a\n\u001b[2J.png", "none"u8), Bomb()];
        File.CreateSymbolicLink(broken[1], "loop.png");
        File.CreateSymbolicLink(broken[2], "nowhere");
        string right = _root.Write("right.png", ImageBytes.Png(8, 8, 255, 0, 0));

        ProgramResult result = NinProgram.Run(["predict", .. broken, right, "--checkpoint", ColourModel.Write(_root), "--device", "cpu"]);

        Assert.Equal((1, right), (result.ExitCode, Assert.Single(result.Lines).Split(':')[0]));
        string[] errors = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(broken.Length, errors.Length);
        Assert.All(errors, error => Assert.StartsWith("nin: ", error, StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', result.Errors);
        Assert.Contains("bomb.png: 60000×60000 pixels, more than 100 megapixels", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_FileThatMayNotBeRead_IsNamed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "who runs this may read everything");
        string path = _root.Write("secret.png", ImageBytes.Png(8, 8, 255, 0, 0));
        if (!OperatingSystem.IsWindows()) // as the analyser wants it said
            File.SetUnixFileMode(path, UnixFileMode.None);

        NinProgram.Run("predict", path, "--checkpoint", ColourModel.Write(_root), "--device", "cpu").Failed(1, path);
    }

    /// <summary>A file of a few bytes whose header claims 3.6 gigapixels.</summary>
    private string Bomb() => _root.Write("bomb.png", ImageBytes.Png(60000, 60000, 8, 0, new byte[10]));

    /// <summary>Black images of the first class.</summary>
    private void Write(int count)
    {
        foreach (string part in (string[])["train", "t10k"])
        {
            _root.Write($"data/{part}-images-idx3-ubyte", IdxBytes.Of(8, [(uint)count, ImageSize, ImageSize], new byte[count * ImageSize * ImageSize]));
            _root.Write($"data/{part}-labels-idx1-ubyte", IdxBytes.Labels(new byte[count]));
        }
    }

    private ProgramResult Train(params string[] more) =>
        NinProgram.Run(["train", "--data", _root.File("data"), "--device", "cpu", "--output", _root.File("run"), .. more]);
}
