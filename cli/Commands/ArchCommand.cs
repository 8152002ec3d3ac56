using System.CommandLine;
using NinCudnn.Cli.Output;
using NinCudnn.Networks;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin arch</c></summary>
internal static class ArchCommand
{
    public static Command Create() => new("arch", "Networks as JSON files, for --arch: shows built-in ones, checks your own.")
    {
        List(), Show(), Validate(), Schema(),
    };

    private static Command List()
    {
        var command = new Command("list", "Lists the built-in networks.");
        command.SetAction(_ =>
        {
            TextTable.Write(
                Console.Out, ["name", "input", "classes", "description"],
                [
                    .. ArchitecturePreset.All.Select(preset => (string[])
                    [
                        preset.Name, $"{preset.InputChannels}×{preset.ImageSize}×{preset.ImageSize}", $"{preset.Classes}", preset.Description,
                    ]),
                ],
                firstNumber: 4);
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Show()
    {
        Argument<ArchitectureChoice> network = Network();
        Option<int?> channels = SharedOptions.Positive(new("--channels") { Description = "Channels of the input.", HelpName = "n" });
        Option<int?> classes = SharedOptions.Positive(new("--classes") { Description = "Classes.", HelpName = "n" });
        var command = new Command("show", "Writes a network as JSON, as a start for your own.") { network, channels, classes };
        command.SetAction(parsed =>
        {
            Console.WriteLine(ArchitectureJson.WriteIndented(parsed.GetRequiredValue(network).For(parsed.GetValue(channels), parsed.GetValue(classes))));
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Validate()
    {
        Argument<ArchitectureChoice> network = Network();
        Option<int?> resize = SharedOptions.Positive(new("--resize") { Description = "Height and width of the input, to check that the layers fit it.", HelpName = "pixels" });
        var command = new Command("validate", "Checks a network's file.") { network, resize };
        command.SetAction(parsed =>
        {
            ArchitectureChoice choice = parsed.GetRequiredValue(network);
            Architecture architecture = choice.For();
            string input = $"{architecture.InputChannels} channels";
            if ((parsed.GetValue(resize) ?? choice.ImageSize) is { } pixels)
            {
                architecture.InferShapes(1, pixels, pixels);
                input = $"{architecture.InputChannels}×{pixels}×{pixels}";
            }
            Console.WriteLine($"{architecture.Name}: input {input}, {architecture.Layers.Length} layers, {architecture.Classes} classes: valid");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Schema()
    {
        var command = new Command("schema", "Writes the JSON schema of such files.");
        command.SetAction(_ =>
        {
            Console.WriteLine(ArchitectureJson.Schema);
            return ExitCode.Success;
        });
        return command;
    }

    private static Argument<ArchitectureChoice> Network()
    {
        var network = new Argument<ArchitectureChoice>("network")
        {
            Description = "A built-in network's name, or a .json file.",
            CustomParser = result => SharedOptions.ParseOrReport(result, ArchitectureChoice.Parse),
        };
        network.CompletionSources.Add([.. ArchitecturePreset.All.Select(preset => preset.Name)]);
        return network;
    }
}
