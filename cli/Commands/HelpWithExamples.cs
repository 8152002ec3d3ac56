using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace NinCudnn.Cli.Commands;

/// <summary>The usual help, followed by examples of the command.</summary>
internal sealed class HelpWithExamples(HelpAction standard) : SynchronousCommandLineAction
{
    private const int MostExamples = 4;

    private static readonly Dictionary<string, string[]> _examples = new()
    {
        ["train"] = ["nin train --recipe quick", "nin train --epochs 20 --lr 0.05 --seed 1 --output runs/slow", "nin train --images flowers --recipe quick --output runs/flowers", "nin train --resume runs/flowers"],
        ["eval"] = ["nin eval --checkpoint runs/slow", "nin eval --checkpoint runs/flowers --images flowers"],
        ["predict"] = ["nin predict shirt.png --checkpoint runs/slow", "nin predict photos '*.jpg' --checkpoint runs/flowers --top-k 5", "find . -name '*.png' | nin predict - --checkpoint runs/slow --invert --json"],
        ["explain"] = ["nin explain shirt.png --checkpoint runs/slow --output why.png", "nin explain shirt.png --checkpoint runs/slow --class Coat --output coat.png"],
        ["serve"] = ["nin serve --checkpoint runs/slow", "nin serve --checkpoint runs/flowers --address 0.0.0.0 --port 80 --max-body 4M"],
        ["export"] = ["nin export runs/slow --format onnx --output slow.onnx", "nin export runs/slow --format safetensors --output slow.safetensors"],
        ["import"] = ["nin import net.safetensors --arch seed --output model.safetensors", "nin import net.safetensors --arch cifar --mean 0.49,0.48,0.45 --deviation 0.25,0.24,0.26 --output model.safetensors"],
        ["runs list"] = ["nin runs list"],
        ["runs show"] = ["nin runs show slow"],
        ["runs compare"] = ["nin runs compare slow flowers"],
        ["summary"] = ["nin summary --arch cifar --classes 100"],
        ["arch list"] = ["nin arch list"],
        ["arch show"] = ["nin arch show seed > mine.json"],
        ["arch validate"] = ["nin arch validate mine.json --resize 64"],
        ["arch schema"] = ["nin arch schema > arch.schema.json"],
        ["recipe list"] = ["nin recipe list"],
        ["recipe show"] = ["nin recipe show quick > mine.json"],
        ["recipe validate"] = ["nin recipe validate mine.json"],
        ["recipe schema"] = ["nin recipe schema > recipe.schema.json"],
        ["devices"] = ["nin devices", "nin devices --verbose"],
        ["bench"] = ["nin bench --batch 64", "nin bench --step-only --inference --json", "nin bench --model h100"],
        ["doctor"] = ["nin doctor --device cpu"],
        ["data list"] = ["nin data list"],
        ["data info"] = ["nin data info --dataset cifar10", "nin data info --images flowers"],
        ["data fetch"] = ["nin data fetch --dataset mnist"],
        ["config show"] = ["nin config show", "nin config show train", "nin config show train --recipe quick --batch 32"],
        ["config schema"] = ["nin config schema > config.schema.json"],
        ["completion bash"] = ["source <(nin completion bash)", "nin completion bash > ~/.local/share/bash-completion/completions/nin"],
        ["completion zsh"] = ["source <(nin completion zsh)"],
        ["completion fish"] = ["nin completion fish | source"],
        ["completion pwsh"] = ["nin completion pwsh | Out-String | Invoke-Expression"],
    };

    /// <summary>Command lines that show how a command is used; a group's are the first ones of its commands.</summary>
    public static IReadOnlyList<string> ExamplesOf(Command command) => CommandTree.IsLeaf(command)
        ? _examples[string.Join(' ', CommandTree.Path(command))]
        : [.. command.Subcommands.Where(CommandTree.IsVisible).Select(sub => ExamplesOf(sub)[0])];

    public override int Invoke(ParseResult parseResult)
    {
        int result = standard.Invoke(parseResult);
        Command command = parseResult.CommandResult.Command;
        if (!CommandTree.IsVisible(command))
            return result;
        TextWriter output = parseResult.InvocationConfiguration.Output;
        IReadOnlyList<string> examples = [.. ExamplesOf(command).Take(MostExamples)];
        output.WriteLine(examples.Count == 1 ? "Example:" : "Examples:");
        foreach (string example in examples)
            output.WriteLine("  " + example);
        output.WriteLine();
        if (command is RootCommand)
            WriteEpilogue(output);
        return result;
    }

    private static void WriteEpilogue(TextWriter output)
    {
        output.WriteLine("Exit codes:");
        foreach (var (code, meaning) in ExitCode.All)
            output.WriteLine($"  {code,-4} {meaning}");
        output.WriteLine();
        output.WriteLine("Options may also stand in environment variables and files: nin config show.");
        output.WriteLine();
    }
}
