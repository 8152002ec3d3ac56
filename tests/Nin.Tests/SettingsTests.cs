using System.Text;
using System.Text.Json;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>Settings in files and environment variables: their order, their mistakes, what is recorded of them.</summary>
public sealed class SettingsTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Show_EveryPlace_TheNearestDecides()
    {
        WriteUser("""{ "device": "cuda", "precision": "bf16", "train": { "batch": 1, "epochs": 1, "seed": 1, "recipe": "quick", "momentum": 0.5 } }""");
        Write("nin.json", """{ "device": "auto", "train": { "batch": 2, "epochs": 2, "seed": 2, "device": "cpu" } }""");

        Dictionary<string, (string Value, string From)> shown = Show([("NIN_TRAIN_BATCH", "3"), ("NIN_TRAIN_EPOCHS", "3")], "train", "--batch", "4");

        string user = _root.File("user/nin/config.json");
        Assert.Equal(("4", "command line"), shown["--batch"]);
        Assert.Equal(("3", "NIN_TRAIN_EPOCHS"), shown["--epochs"]);
        Assert.Equal(("2", "nin.json: train.seed"), shown["--seed"]);
        Assert.Equal(("cpu", "nin.json: train.device"), shown["--device"]);
        Assert.Equal(("quick", $"{user}: train.recipe"), shown["--recipe"]);
        Assert.Equal(("0.5", $"{user}: train.momentum"), shown["--momentum"]);
        Assert.Equal(("bf16", $"{user}: precision"), shown["--precision"]);
        Assert.Equal(("72", "recipe quick"), shown["--resize"]);
        Assert.Equal(("seed", "default"), shown["--arch"]);
        Assert.Equal(("false", "default"), shown["--json"]);
        Assert.Equal(("-", ""), shown["--limit-train"]);
    }

    [Fact]
    public void Show_RecipeOfTheCommandLine_GivesItsValues()
    {
        // All that a recipe says has an option, and is shown.
        Dictionary<string, (string Value, string From)> shown = Show([], "train", "--recipe", Write("own.json", """
            {
              "base": "quick", "name": "own", "epochs": 5, "batch_size": 6, "image_size": 70, "learning_rate": 0.25, "precision": "tf32", "dropout_rate": 0.125,
              "schedule": { "type": "warm_up", "share": 0.1, "after": { "type": "cosine" } }, "sgd": { "momentum": 0.75, "weight_decay": 0.5, "nesterov": true },
              "label_smoothing": 0.25, "clip_norm": 2, "ema_decay": 0.5,
              "initialization": { "weights": "he_uniform", "biases": "zero", "output_scale": 0.3, "output_bias": 0.5 },
              "augmentation": { "horizontal_flip": 0.5, "crop_padding": 3, "erasing_probability": 0.25 }
            }
            """));

        Dictionary<string, string> expected = new()
        {
            ["--epochs"] = "5",
            ["--batch"] = "6",
            ["--resize"] = "70",
            ["--learning-rate"] = "0.25",
            ["--schedule"] = "cosine",
            ["--warm-up"] = "0.1",
            ["--momentum"] = "0.75",
            ["--nesterov"] = "true",
            ["--weight-decay"] = "0.5",
            ["--init"] = "he",
            ["--output-scale"] = "0.3",
            ["--output-bias"] = "0.5",
            ["--normalize"] = "true",
            ["--dropout"] = "0.125",
            ["--label-smoothing"] = "0.25",
            ["--clip-norm"] = "2",
            ["--ema"] = "0.5",
            ["--flip"] = "0.5",
            ["--crop"] = "3",
            ["--erase"] = "0.25",
            ["--precision"] = "tf32",
        };
        Assert.Equal(
            expected.OrderBy(entry => entry.Key, StringComparer.Ordinal),
            shown.Where(entry => entry.Value.From == "recipe own").Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Value)).OrderBy(entry => entry.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void Show_NoCommand_ListsFilesAndSettings()
    {
        Write("nin.json", """{ "$schema": "config.schema.json", "data": { "fetch": { "dataset": "mnist" } } }""");

        string[] lines = Run([("NIN_BENCH_BATCH", "8")], "config", "show").Succeeded().Lines;

        Assert.Equal("nin.json: read", lines[0]);
        Assert.Equal($"{_root.File("user/nin/config.json")}: not there", lines[1]);
        Assert.Equal(["bench --batch 8 NIN_BENCH_BATCH", "data fetch --dataset mnist nin.json: data.fetch.dataset"], lines[4..].Select(Words));
    }

    [Fact]
    public void Show_NothingSet_SaysSo() => Assert.Equal("no settings", Run([], "config", "show").Succeeded().Lines[^1]);

    [Fact]
    public void Config_Named_IsReadInPlaceOfTheProjects()
    {
        Write("nin.json", """{ "train": { "batch": 2, "epochs": 2 } }""");
        Write("other.json", """{ "train": { "batch": 3 } }""");

        foreach (string[] arguments in (string[][])[["--config", "other.json", "config", "show", "train"], ["config", "show", "--config=other.json", "train"], ["config", "show", "train", "--config", "other.json"]])
        {
            string output = Run([], arguments).Succeeded().Output;
            Assert.Contains("other.json: train.batch", output, StringComparison.Ordinal);
            Assert.DoesNotContain("nin.json", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void NoConfig_LeavesOutFilesOnly()
    {
        Write("nin.json", "{ this is no JSON");
        WriteUser("""{ "train": { "epochs": 2 } }""");

        Dictionary<string, (string Value, string From)> shown = Show([("NIN_DEVICE", "cpu")], "train", "--no-config");

        Assert.Equal(("cpu", "NIN_DEVICE"), shown["--device"]);
        Assert.Equal(("10", "recipe seed"), shown["--epochs"]);
    }

    [Fact]
    public void Images_OnTheCommandLine_GoBeforeADatasetInAFile()
    {
        Write("nin.json", """{ "train": { "dataset": "mnist", "data": "somewhere", "skip-broken": true } }""");
        Assert.Equal(("true", "nin.json: train.skip-broken"), Show([], "train", "--images", "flowers")["--skip-broken"]);
        Assert.Equal(("fashion-mnist", "default"), Show([], "train", "--images", "flowers")["--dataset"]);
        Assert.Equal(("-", ""), Show([], "train", "--images", "flowers")["--data"]);
        // What is for images only is no mistake where there are none.
        Assert.Equal(("false", "default"), Show([], "train")["--skip-broken"]);
        Assert.Equal(("mnist", "nin.json: train.dataset"), Show([], "train")["--dataset"]);

        Write("nin.json", """{ "train": { "images": "flowers", "skip-broken": true } }""");
        Assert.Equal(("-", ""), Show([], "train", "--dataset", "mnist")["--images"]);
        Assert.Equal(("false", "default"), Show([], "train", "--dataset", "mnist")["--skip-broken"]);
    }

    [Theory]
    [InlineData("""{ "train": { "btach": 1 } }""", "nin.json: there is no setting 'train.btach'; did you mean 'train.batch'?")]
    [InlineData("""{ "trian": { } }""", "nin.json: there is no setting 'trian'; did you mean 'train'?")]
    [InlineData("""{ "eval": { "quickly": true } }""", "nin.json: there is no setting 'eval.quickly'; nin config schema lists those that there are")]
    [InlineData("""{ "batch": 1 }""", "nin.json: there is no setting 'batch'")]
    [InlineData("""{ "train": { "batch": 0 } }""", "nin.json: train.batch: --batch is '0', but must be auto or a whole number")]
    [InlineData("""{ "train": { "recipe": "slow" } }""", "nin.json: train.recipe: --recipe is 'slow', but must be seed or quick or best, or a .json file")]
    [InlineData("""{ "train": { "nesterov": "yes" } }""", "nin.json: train.nesterov is \"yes\", but must be true or false")]
    [InlineData("""{ "train": { "epochs": true } }""", "nin.json: train.epochs is true, but must be a string or a number")]
    [InlineData("""{ "train": { "epochs": [1] } }""", "nin.json: train.epochs is an array, but must be a string or a number")]
    [InlineData("""{ "train": 3 }""", "nin.json: train is 3, but must be an object")]
    [InlineData("[]", "nin.json: the whole is an array, but must be an object")]
    [InlineData("{ \"train\": {\n\"batch\" 3 } }", "nin.json: line 2 is no JSON: ")]
    [InlineData("""{ "train": { "batch": 3, "batch": 4 } }""", "nin.json is no JSON: Duplicate property 'batch'")]
    [InlineData("""{ "train": { "recipe": "\ud800" } }""", "nin.json has a string that is no valid text")]
    [InlineData("""{ "\ud800": 1 }""", "nin.json has a string that is no valid text")]
    [InlineData("""{ "device": "gpu" }""", "nin.json: device: \"gpu\" is not a device")]
    [InlineData("""{ "train": { "momentum": 1.5 } }""", "the momentum is 1.5, but must be at least 0 and below 1 (options also come from nin.json; see: nin config show train)")]
    public void File_WithAMistake_IsNamedWithIt(string text, string message)
    {
        Write("nin.json", text);

        Run([], "train").Failed(2, message);
    }

    [Fact]
    public void File_WithAMistake_StopsNeitherHelpNorCommandsWithoutSettings()
    {
        Write("nin.json", "{");

        Run([], "train", "--help").Succeeded();
        Run([], "--version").Succeeded();
        Run([], "arch", "schema").Succeeded();
        Run([], "config", "show").Failed(2, "nin.json: line 1 is no JSON");
    }

    [Theory]
    [InlineData("NIN_TRAIN_BATCH", "none", "NIN_TRAIN_BATCH: --batch is 'none', but must be auto or a whole number")]
    [InlineData("NIN_TRAIN_NESTEROV", "maybe", "NIN_TRAIN_NESTEROV: --nesterov is 'maybe', but must be true or false")]
    [InlineData("NIN_TRAIN_BTACH", "3", "the environment variable NIN_TRAIN_BTACH stands for no option; did you mean NIN_TRAIN_BATCH?")]
    public void Variable_WithAMistake_IsNamedWithIt(string name, string value, string message) => Run([(name, value)], "train").Failed(2, message);

    [Fact]
    public void Variable_OfAFlag_TakesDigitsToo()
    {
        Dictionary<string, (string Value, string From)> shown = Show([("NIN_TRAIN_NESTEROV", "1"), ("NIN_TRAIN_JSON", "0"), ("NIN_TRAIN_SOMETHING_ELSE", "1"), ("NIN_TRAIN_SEED", "")], "train");

        Assert.Equal(("true", "NIN_TRAIN_NESTEROV"), shown["--nesterov"]);
        Assert.Equal(("false", "NIN_TRAIN_JSON"), shown["--json"]);
        Assert.Equal("-", shown["--seed"].Value);
    }

    [Fact]
    public void Train_WithSettings_UsesAndRecordsThem()
    {
        string data = TinyData.Write(_root);
        Write("nin.json", $$"""{ "train": { "data": "{{data}}", "resize": 68, "batch": 16, "epochs": 1, "json": true, "no-report": true } }""");

        JsonElement start = Run([("NIN_TRAIN_SEED", "5"), ("NIN_DEVICE", "cpu")], "train", "--output", "run", "--json=false", "--momentum", "0.5").Succeeded().Output is { } text
            && !text.StartsWith('{')
                ? JsonElement.Parse(File.ReadAllText(_root.File("run/run.json")))
                : throw new InvalidOperationException("--json=false was not heeded");

        string[] words = [.. start.GetProperty("command_line").EnumerateArray().Select(word => word.GetString()!)];
        Assert.Equal(
            ["train", "--seed", "5", "--device", "cpu", "--data", data, "--resize", "68", "--batch", "16", "--epochs", "1", "--no-report", "true", "--output", "run", "--json", "false", "--momentum", "0.5"],
            words);
        Assert.Equal((1, 16, 5, 0.5), (
            start.GetProperty("recipe").GetProperty("epochs").GetInt32(), start.GetProperty("recipe").GetProperty("batch_size").GetInt32(),
            start.GetProperty("start").GetProperty("seed").GetInt32(), start.GetProperty("recipe").GetProperty("sgd").GetProperty("momentum").GetDouble()));

        // The recorded words give the same run without the settings.
        File.Delete(_root.File("nin.json"));
        Run([], [.. words.Select(word => word == "run" ? "again" : word)]).Succeeded();
        Assert.Equal(File.ReadAllBytes(_root.File("run/model.safetensors")), File.ReadAllBytes(_root.File("again/model.safetensors")));
    }

    [Fact]
    public void Eval_RequiredOption_MayBeASetting()
    {
        Write("nin.json", """{ "eval": { "checkpoint": "nowhere.safetensors" } }""");

        Run([], "eval").Failed(1, "nowhere.safetensors");
    }

    [Fact]
    public void Schema_IsTheOneThatIsPublished() => Assert.Equal(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "config.schema.json")).TrimEnd(), Run([], "config", "schema").Succeeded().Output.TrimEnd());

    private static string Words(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private Dictionary<string, (string Value, string From)> Show((string, string?)[] environment, params string[] words) =>
        Run(environment, ["config", "show", .. words]).Succeeded().Lines[2..].Select(line => line.Split("  ", 2))
            .ToDictionary(parts => parts[0], parts => parts[1].Trim().Split("  ", 2) is [var value, var from] ? (value, from.Trim()) : (parts[1].Trim(), ""));

    private ProgramResult Run((string, string?)[] environment, params string[] arguments) =>
        NinProgram.RunIn(_root.Path, [("XDG_CONFIG_HOME", _root.File("user")), .. environment], arguments);

    private string Write(string name, string text) => _root.Write(name, Encoding.UTF8.GetBytes(text));

    private void WriteUser(string text) => Write("user/nin/config.json", text);
}
