using System.Text.RegularExpressions;
using Xunit;

namespace Nin.Tests;

public sealed class HelpTests
{
    private static readonly string[] _commands =
    [
        "train", "eval", "predict", "explain", "runs", "export", "import", "summary", "devices", "bench", "doctor", "data", "config", "completion",
    ];

    // Options that every command has.
    private static readonly string[] _general = ["--help", "--config", "--no-config"];

    [Fact]
    public void Version_Alone_IsTheNumber() => Assert.Matches(@"^\d+\.\d+\.\d+\n\z", NinProgram.Run("--version").Succeeded().Output);

    [Fact]
    public void Help_OfTheProgram_ListsTheCommands()
    {
        string help = NinProgram.Run("--help").Succeeded().Output;

        foreach (string command in _commands)
            Assert.Matches($@"\n  {command} +(<\w+> +)?\w", help);
    }

    [Theory]
    [InlineData(
        "train",
        "--recipe --arch --epochs --batch --resize --learning-rate --lr --schedule --warm-up --momentum --nesterov --weight-decay --init --output-scale --output-bias "
        + "--normalize --dropout --label-smoothing --clip-norm --ema --flip --crop --erase --precision --seed --dataset --data --images --image-size --channels --test-fraction --split-seed --skip-broken --data-placement"
        + " --limit-train --limit-test --device --output --resume --checkpoint-every --keep --on-nonfinite --debug-numerics --restart-on-dead --no-report --tensorboard --json --algorithms --deterministic --workspace-limit")]
    [InlineData("eval", "--checkpoint --batch --dataset --data --images --image-size --channels --test-fraction --split-seed --skip-broken --data-placement --limit-test --precision --device --json --algorithms --deterministic --workspace-limit")]
    [InlineData("predict", "--checkpoint --top-k --invert --device --precision --json")]
    [InlineData("explain", "--checkpoint --class --output --invert --device --precision")]
    [InlineData("serve", "--checkpoint --address --port --max-batch --max-requests --max-body --max-megapixels --timeout --invert --device --precision")]
    [InlineData("runs list", "--json")]
    [InlineData("runs show", "--json")]
    [InlineData("runs compare", "--json")]
    [InlineData("export", "--format --output --include-scaling")]
    [InlineData("import", "--arch --resize --channels --classes --dataset --mean --deviation --output")]
    [InlineData("summary", "--arch --resize --channels --classes --memory --batch --device")]
    [InlineData("bench", "--arch --batch --resize --precision --repetitions --inference --step-only --model --plot --device --json --csv --algorithms --deterministic --workspace-limit")]
    [InlineData("devices", "--verbose")]
    [InlineData("doctor", "--device --json")]
    [InlineData("data fetch", "--dataset --output --from")]
    [InlineData("arch list", "")]
    [InlineData("arch show", "--channels --classes")]
    [InlineData("arch validate", "--resize")]
    [InlineData("arch schema", "")]
    [InlineData("recipe list", "")]
    [InlineData("recipe show", "")]
    [InlineData("recipe validate", "")]
    [InlineData("recipe schema", "")]
    [InlineData("data list", "")]
    [InlineData("data info", "--dataset --data --images --test-fraction --split-seed")]
    [InlineData("config schema", "")]
    [InlineData("completion bash", "")]
    [InlineData("completion zsh", "")]
    [InlineData("completion fish", "")]
    [InlineData("completion pwsh", "")]
    public void Help_OfACommand_NamesEachOptionAndShowsAnExample(string command, string options)
    {
        string help = NinProgram.Run([.. command.Split(' '), "--help"]).Succeeded().Output;

        string[] listed = [.. OptionNames(help[..help.IndexOf("\nExample", StringComparison.Ordinal)]).Except(_general).Distinct()];
        Assert.Equal(options.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(), listed.Order());
        string example = help[help.IndexOf("\nExample", StringComparison.Ordinal)..];
        Assert.Contains($"nin {command}", example, StringComparison.Ordinal);
        Assert.Empty(OptionNames(example).Except(listed));
    }

    [Theory]
    [InlineData("")]
    [InlineData("runs")]
    [InlineData("data")]
    [InlineData("config show")]
    public void Help_OfAGroup_ShowsExamples(string command) =>
        Assert.Matches(@"\nExamples:\n  nin \w", NinProgram.Run([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]).Succeeded().Output);

    [Fact]
    public void Help_OfTheProgram_TellsExitCodes() =>
        Assert.Matches(@"\nExit codes:\n  0    [^\n]+\n  1    [^\n]+\n  2    [^\n]+\n  130  [^\n]+\n", NinProgram.Run("--help").Succeeded().Output);

    [Theory]
    [InlineData("train", "--recipe", "seed")]
    [InlineData("train", "--dataset", "fashion-mnist")]
    [InlineData("train", "--arch", "seed")]
    [InlineData("train", "--device", "auto")]
    public void Help_OptionWithDefault_ShowsItsName(string command, string option, string value) =>
        Assert.Matches($@"\n  {option} [^\n]+\[default: {value}\]\n", NinProgram.Run(command, "--help").Output);

    private static IEnumerable<string> OptionNames(string text) =>
        Regex.Matches(text, @"(?<![\w-])--[a-z][a-z-]+").Select(match => match.Value);
}
