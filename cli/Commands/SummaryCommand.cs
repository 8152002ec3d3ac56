using System.CommandLine;
using System.Globalization;
using NinCudnn.Cli.Output;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin summary</c></summary>
internal static class SummaryCommand
{
    public static Command Create()
    {
        Option<string?> architecture = SharedOptions.Architecture();
        Option<int?> size = SharedOptions.Positive(new("--resize") { Description = "Height and width of the input; 224, or 32 for cifar.", HelpName = "pixels" });
        Option<int?> channels = SharedOptions.Positive(new("--channels") { Description = "Channels of the input; 1, or 3 for cifar.", HelpName = "n" });
        Option<int?> classes = SharedOptions.Positive(new("--classes") { Description = "Classes; 10 if not given.", HelpName = "n" });

        var command = new Command("summary", "Shows a network's layers: output shapes, parameters, multiply-adds.") { architecture, size, channels, classes };
        command.SetAction(parsed =>
        {
            string name = parsed.GetValue(architecture)!;
            bool isCifar = name == "cifar";
            Architecture network = Architecture.Preset(name, parsed.GetValue(channels) ?? (isCifar ? 3 : 1), parsed.GetValue(classes) ?? 10);
            int pixels = parsed.GetValue(size) ?? (isCifar ? 32 : 224);
            NetworkSummary summary = NetworkSummary.Create(network, pixels, pixels);
            Console.WriteLine($"{network.Name}: input {network.InputChannels}×{pixels}×{pixels}, {network.Classes} classes");
            TextTable.Write(
                Console.Out,
                ["#", "layer", "output", "parameters", "multiply-adds"],
                [
                    .. summary.Lines.Select(line => (string[])
                    [
                        (line.IsPart ? "  " : "") + line.Name, line.Description, Shape(line.Output, network, line), Number(line.Parameters), Number(line.MultiplyAdds),
                    ]),
                    ["", "total", "", Number(summary.Parameters), Number(summary.MultiplyAdds)],
                ],
                firstNumber: 3);
            return ExitCode.Success;
        });
        return command;
    }

    private static string Shape(TensorShape shape, Architecture network, SummaryLine line) =>
        network.Layers[^1] is Flatten && line.Name == (network.Layers.Length - 1).ToString(CultureInfo.InvariantCulture)
            ? $"{shape.C}"
            : $"{shape.C}×{shape.H}×{shape.W}";

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
