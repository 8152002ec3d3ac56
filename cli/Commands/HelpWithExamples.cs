using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace NinCudnn.Cli.Commands;

/// <summary>The usual help, followed by examples of the command.</summary>
internal sealed class HelpWithExamples(HelpAction standard) : SynchronousCommandLineAction
{
    private static readonly Dictionary<string, string[]> _examples = new()
    {
        ["train"] = ["nin train --recipe quick", "nin train --epochs 20 --lr 0.05 --seed 1 --out runs/slow", "nin train --images flowers --recipe quick --out runs/flowers"],
        ["eval"] = ["nin eval --checkpoint runs/slow", "nin eval --checkpoint runs/flowers --images flowers"],
        ["export"] = ["nin export runs/slow --format onnx --output slow.onnx", "nin export runs/slow --format safetensors --output slow.safetensors"],
        ["import"] = ["nin import net.safetensors --arch seed --output model.safetensors", "nin import net.safetensors --arch cifar --mean 0.49,0.48,0.45 --deviation 0.25,0.24,0.26 --output model.safetensors"],
        ["summary"] = ["nin summary --arch cifar --classes 100"],
        ["devices"] = ["nin devices", "nin devices --verbose"],
        ["bench"] = ["nin bench --batch 64", "nin bench --step-only --inference --json", "nin bench --model h100"],
        ["doctor"] = ["nin doctor --device cpu"],
        ["list"] = ["nin data list"],
        ["info"] = ["nin data info --dataset cifar10", "nin data info --images flowers"],
        ["fetch"] = ["nin data fetch --dataset mnist"],
    };

    public override int Invoke(ParseResult parseResult)
    {
        int result = standard.Invoke(parseResult);
        if (!_examples.TryGetValue(parseResult.CommandResult.Command.Name, out string[]? examples))
            return result;
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine(examples.Length == 1 ? "Example:" : "Examples:");
        foreach (string example in examples)
            output.WriteLine("  " + example);
        output.WriteLine();
        return result;
    }
}
