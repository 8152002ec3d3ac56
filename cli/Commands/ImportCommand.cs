using System.CommandLine;
using System.Globalization;
using NinCudnn.Data;
using NinCudnn.Operators;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin import</c></summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        Argument<string> file = new("file") { Description = "A .safetensors file with a state_dict of PyTorch: 0.0.weight, 0.0.bias, …" };
        NetworkOptions options = SharedOptions.Network();
        Option<string?> dataset = SharedOptions.OneOf(
            new("--dataset") { HelpName = "name" }, "The data set that gives the classes their names; numbers if not given", KnownDatasets.All.Select(known => known.Name));
        Option<float[]?> mean = PerChannel("--mean", "What was subtracted from pixels in [0, 1]", "0");
        Option<float[]?> deviation = PerChannel("--deviation", "What they were then divided by", "1");
        Option<FileInfo?> output = SharedOptions.OutputFile();

        var command = new Command("import", "Makes a model of parameters that PyTorch trained.") { file };
        options.AddTo(command);
        command.Add(dataset);
        command.Add(mean);
        command.Add(deviation);
        command.Add(output);
        command.SetAction(parsed =>
        {
            string source = parsed.GetRequiredValue(file), target = SharedOptions.Target(parsed.GetRequiredValue(output)!, source);
            var (architecture, imageSize) = options.Parse(parsed);
            Normalization statistics = Normalization.None(architecture.InputChannels);
            // An option of an array that isn't given has an empty one, and not its default.
            if (parsed.GetValue(mean) is { Length: > 0 } means)
                statistics = statistics with { Mean = means };
            if (parsed.GetValue(deviation) is { Length: > 0 } deviations)
                statistics = statistics with { Deviation = deviations };
            var description = new ModelDescription(
                architecture,
                imageSize,
                statistics,
                parsed.GetValue(dataset) is { } name
                    ? KnownDatasets.Get(name).ClassNames
                    : [.. Enumerable.Range(0, architecture.Classes).Select(i => i.ToString(CultureInfo.InvariantCulture))]);
            ModelFile model = ModelFile.Import(source, description);
            model.Save(target);
            Console.WriteLine($"{target}: {architecture.Name} with {model.Parameters.Values.Sum(values => (long)values.Length):N0} parameters, {imageSize}×{imageSize} input");
            return ExitCode.Success;
        });
        return command;
    }

    private static Option<float[]?> PerChannel(string name, string description, string otherwise) => new(name)
    {
        Description = $"{description}: a number per channel, separated by commas; {otherwise} if not given.",
        HelpName = "numbers",
        Arity = ArgumentArity.ExactlyOne, // not one argument per number, as an array would have it
        CustomParser = result => SharedOptions.ParseOrReport<float[]>(result, text => [.. text.Split(',').Select(part =>
            float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value)
                ? value
                : throw new FormatException($"{name} is '{text}', but must be finite numbers separated by commas"))]),
    };
}
