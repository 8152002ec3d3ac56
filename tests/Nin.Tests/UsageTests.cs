using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>Command lines that are wrong: exit code 2, one line that says what was expected, nothing made.</summary>
public sealed class UsageTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("", "Required command was not provided (see: nin --help)")]
    [InlineData("bogus", "there is no command or option 'bogus' (see: nin --help)")]
    [InlineData("--bogus", "there is no command or option '--bogus' (see: nin --help)")]
    [InlineData("data", "Required command was not provided (see: nin data --help)")]
    [InlineData("trian", "there is no command or option 'trian'; did you mean 'train'? (see: nin --help)")]
    [InlineData("data fecth", "there is no command or option 'fecth'; did you mean 'fetch'? (see: nin data --help)")]
    [InlineData("train --bogus", "there is no command or option '--bogus' (see: nin train --help)")]
    [InlineData("train --epoch 3", "there is no command or option '--epoch'; did you mean '--epochs'? (see: nin train --help)")]
    [InlineData("predict --chekpoint x.safetensors y.png", "there is no command or option '--chekpoint'; did you mean '--checkpoint'?")]
    [InlineData("train --nesterov=maybe", "--nesterov is 'maybe', but must be true or false (see: nin train --help)")]
    [InlineData("train --config nowhere.json", "nowhere.json can't be read")]
    [InlineData("train --config x --no-config", "--config and --no-config exclude each other")]
    [InlineData("config show bogus", "there is no command or option 'bogus'")]
    [InlineData("config show data list", "nin data list has no options that settings can be made for")]
    [InlineData("train extra", "there is no command or option 'extra'")]
    [InlineData("train --epochs", "Required argument missing for option: '--epochs'")]
    [InlineData("train --epochs 1 --epochs 2", "'--epochs' expects a single argument")]
    [InlineData("train --epochs 0", "--epochs is '0', but must be a whole number between 1 and 2147483647")]
    [InlineData("train --epochs -3", "--epochs is '-3', but must be a whole number")]
    [InlineData("train --epochs many", "--epochs is 'many', but must be a whole number")]
    [InlineData("train --epochs 1.5", "--epochs is '1.5', but must be a whole number")]
    [InlineData("train --epochs 99999999999", "--epochs is '99999999999', but must be a whole number between 1 and 2147483647")]
    [InlineData("train --batch 0", "--batch is '0'")]
    [InlineData("train --resize 0", "--resize is '0'")]
    [InlineData("train --resize 5000", "the image size is 5000, but must be between 1 and 4096")]
    [InlineData("train --limit-train 0", "--limit-train is '0'")]
    [InlineData("train --lr nan", "--learning-rate is 'nan', but must be a finite number of at least 0")]
    [InlineData("train --lr=-0.1", "--learning-rate is '-0.1', but must be a finite number of at least 0")]
    [InlineData("train --learning-rate fast", "--learning-rate is 'fast', but must be a finite number of at least 0")]
    [InlineData("train --lr infinity", "--learning-rate is 'infinity', but must be a finite number of at least 0")]
    [InlineData("train --momentum 1.5", "the momentum is 1.5, but must be at least 0 and below 1")]
    [InlineData("train --nesterov", "the momentum is 0, but must be above 0 with Nesterov's step")]
    [InlineData("train --weight-decay -1", "--weight-decay is '-1'")]
    [InlineData("train --dropout 1", "the dropout rate is 1, but must be at least 0 and below 1")]
    [InlineData("train --label-smoothing 1", "the label smoothing is 1, but must be at least 0 and below 1")]
    [InlineData("train --clip-norm 0", "the largest gradient norm is 0, but must be a finite number above 0")]
    [InlineData("train --clip-norm -1", "--clip-norm is '-1', but must be a finite number of at least 0")]
    [InlineData("train --ema 1", "the moving average's decay is 1, but must be at least 0 and below 1")]
    [InlineData("train --flip 1.5", "the probability of a flip is 1.5, but must be between 0 and 1")]
    [InlineData("train --crop -1", "--crop is '-1', but must be a whole number between 0 and 2147483647")]
    [InlineData("train --crop 5000", "the padding of a crop is 5000, but must be between 0 and 4096")]
    [InlineData("train --erase often", "--erase is 'often', but must be a finite number of at least 0")]
    [InlineData("train --erase 2", "the probability of erasing is 2, but must be between 0 and 1")]
    [InlineData("train --output-scale nan", "--output-scale is 'nan'")]
    [InlineData("train --seed -1", "--seed is '-1', but must be a whole number between 0 and 18446744073709551615")]
    [InlineData("train --recipe slow", "--recipe is 'slow', but must be seed or quick or best, or a .json file")]
    [InlineData("train --arch vgg", "--arch is 'vgg', but must be seed or cifar or imagenet, or a .json file")]
    [InlineData("train --schedule poly", "--schedule is 'poly', but must be constant or step or cosine or one-cycle")]
    [InlineData("train --init zero", "--init is 'zero', but must be xavier or he")]
    [InlineData("train --dataset imagenet", "--dataset is 'imagenet', but must be fashion-mnist or mnist or cifar10 or cifar100")]
    [InlineData("train --images here --dataset mnist", "--images and --dataset exclude each other")]
    [InlineData("eval --checkpoint here --channels 2", "--channels is '2', but must be 1 or 3")]
    [InlineData("train --images here --image-size 0", "--image-size is '0'")]
    [InlineData("train --images here --split-seed x", "--split-seed is 'x', but must be a whole number between 0 and 18446744073709551615")]
    [InlineData("train --images here --test-fraction=-1", "--test-fraction is '-1'")]
    [InlineData("train --skip-broken", "--skip-broken is only for --images")]
    [InlineData("data info --split-seed 1", "--split-seed is only for --images")]
    [InlineData("train --device foo", "\"foo\" is not a device: use auto, cpu, cuda or cuda:N")]
    [InlineData("train --device cuda:x", "\"cuda:x\" is not a device")]
    [InlineData("eval", "'--checkpoint' is required (see: nin eval --help)")]
    [InlineData("eval --checkpoint x --batch 0", "--batch is '0'")]
    [InlineData("predict --checkpoint x", "Required argument 'images' missing for command: 'predict'")]
    [InlineData("predict x", "'--checkpoint' is required (see: nin predict --help)")]
    [InlineData("predict x --checkpoint y --top-k 0", "--top-k is '0', but must be a whole number between 1 and 2147483647")]
    [InlineData("explain x --checkpoint y", "'--output' is required (see: nin explain --help)")]
    [InlineData("explain x --checkpoint y --output x", "--output is x, which is read")]
    [InlineData("explain x --checkpoint y --output z.jpg", "the picture 'z.jpg' must be named .png or .svg")]
    [InlineData("runs", "Required command was not provided (see: nin runs --help)")]
    [InlineData("runs compare x", "'runs' missing for command: 'compare'")]
    [InlineData("export --format onnx --output y", "Required argument 'model' missing for command: 'export'")]
    [InlineData("export x --format onnx", "'--output' is required (see: nin export --help)")]
    [InlineData("export x --output y", "'--format' is required (see: nin export --help)")]
    [InlineData("export x --format pickle --output y", "--format is 'pickle', but must be onnx or safetensors")]
    [InlineData("export x --format safetensors --include-scaling --output y", "--include-scaling is for --format onnx")]
    [InlineData("export x --format onnx --output x", "--output is x, which is read")]
    [InlineData("import x --output ./x", "--output is ./x, which is read")]
    [InlineData("import x --output y --arch vgg", "--arch is 'vgg', but must be seed or cifar or imagenet, or a .json file")]
    [InlineData("import x --output y --mean 0.5;0.5", "--mean is '0.5;0.5', but must be finite numbers separated by commas")]
    [InlineData("import x --output y --deviation 1,nan", "--deviation is '1,nan', but must be finite numbers separated by commas")]
    [InlineData("import x --output y --mean 0.5,0.5", "seed needs one mean and deviation per channel and one name per class: 1, 1 and 10, but has 2, 1 and 10")]
    [InlineData("import x --output y --deviation 0", "seed has a deviation that is not positive")]
    [InlineData("import x --output y --classes 7 --dataset mnist", "but has 1, 1 and 10")]
    [InlineData("import x --output y --resize 10", "seed on 10×10 images: layer 1")]
    [InlineData("summary --arch vgg", "--arch is 'vgg', but must be seed or cifar or imagenet, or a .json file")]
    [InlineData("summary --classes 0", "--classes is '0'")]
    [InlineData("summary --resize 10", "seed on 10×10 images: layer 1 (max pool 3×3 stride 2): 3×3 window on 1×1 input")]
    [InlineData("devices --json", "there is no command or option '--json'")]
    [InlineData("data fetch --from here", "'here' is not an http or https address (see: nin data fetch --help)")]
    [InlineData("data fetch --from ftp://example.org/", "'ftp://example.org/' is not an http or https address")]
    public void CommandLine_Wrong_SaysWhatWasExpected(string commandLine, string message)
    {
        NinProgram.RunIn(_root.Path, [], commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Failed(2, message);

        Assert.Empty(Directory.GetFileSystemEntries(_root.Path));
    }

    [Theory]
    [InlineData("--data")]
    [InlineData("--images")]
    [InlineData("--output")]
    public void Train_EmptyPath_IsNotTheCurrentDirectory(string option) =>
        NinProgram.RunIn(_root.Path, [], "train", option, "").Failed(2, $"{option} is empty, but must be a directory's path");

    [Theory]
    [InlineData("seed", "64", "layer 5 (max pool 3×3 stride 2): 3×3 window on 2×2 input")]
    [InlineData("seed", "8", "layer 0 (NiN block 96, 11×11 stride 4 pad 1)")]
    public void Train_ImagesTooSmall_NamesTheLayer(string architecture, string size, string message)
    {
        string data = TinyData.Write(_root), run = _root.File("run");

        NinProgram.Run("train", "--data", data, "--arch", architecture, "--resize", size, "--device", "cpu", "--output", run)
            .Failed(2, $"seed on {size}×{size} images: {message}");

        Assert.False(Directory.Exists(run));
    }

    [Fact]
    public void Train_SmallestImages_Works() =>
        NinProgram.Run(
            "train", "--data", TinyData.Write(_root), "--resize", "65", "--epochs", "1", "--limit-train", "2", "--limit-test", "1", "--device", "cpu",
            "--output", _root.File("run"))
            .Succeeded();
}
