using System.CommandLine;
using NinCudnn.Cli.Runs;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin export</c></summary>
internal static class ExportCommand
{
    private const string Onnx = "onnx";
    private const string Safetensors = "safetensors";

    public static Command Create()
    {
        Argument<string> model = new("model") { Description = "A .safetensors file that nin wrote, or a run's directory." };
        Option<string?> format = SharedOptions.OneOf(new("--format") { HelpName = "name", Required = true }, "What to write", [Onnx, Safetensors]);
        Option<FileInfo?> output = SharedOptions.OutputFile();
        Option<bool> includeScaling = new("--include-scaling")
        {
            Description = "In ONNX: take pixels from 0 to 255 as bytes, and make scaling and normalising part of the graph.",
        };

        var command = new Command("export", "Writes a trained model for other programs.") { model, format, output, includeScaling };
        command.SetAction(parsed =>
        {
            bool isOnnx = parsed.GetValue(format) == Onnx;
            if (parsed.GetValue(includeScaling) && !isOnnx)
                throw new ArgumentException($"--include-scaling is for --format {Onnx}");
            string source = RunDirectory.FindModel(parsed.GetRequiredValue(model));
            string target = SharedOptions.Target(parsed.GetRequiredValue(output)!, source);
            ModelFile trained = ModelFile.Load(source);
            var (network, size) = (trained.Description.Architecture, trained.Description.ImageSize);
            if (isOnnx)
            {
                OnnxInput input = parsed.GetValue(includeScaling) ? OnnxInput.Pixels : OnnxInput.Normalized;
                OnnxExport.Save(trained, target, input);
                Console.WriteLine($"{target}: input {(input == OnnxInput.Pixels ? "uint8" : "float32")} N×{network.InputChannels}×{size}×{size}, output logits float32 N×{network.Classes}");
            }
            else
            {
                trained.Export(target);
                Console.WriteLine($"{target}: {trained.Parameters.Count} tensors under PyTorch's names");
            }
            return ExitCode.Success;
        });
        return command;
    }
}
