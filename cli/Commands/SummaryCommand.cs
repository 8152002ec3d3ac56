using System.CommandLine;
using System.Globalization;
using NinCudnn.Cli.Output;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin summary</c></summary>
internal static class SummaryCommand
{
    public static Command Create()
    {
        NetworkOptions options = SharedOptions.Network();
        Option<bool> memory = new("--memory") { Description = "Show instead what a training step's memory consists of at its peak." };
        Option<int?> batch = SharedOptions.Positive(new("--batch") { Description = "Samples per step, for --memory; 128 if not given.", HelpName = "n" });
        Option<DeviceRequest> device = SharedOptions.Device();

        var command = new Command("summary", "Shows a network's layers: output shapes, parameters, multiply-adds.");
        options.AddTo(command);
        command.Add(memory);
        command.Add(batch);
        command.Add(device);
        command.SetAction(parsed =>
        {
            var (network, pixels) = options.Parse(parsed);
            if (parsed.GetValue(memory))
            {
                using Device target = Device.Open(parsed.GetRequiredValue(device));
                WriteMemory(target, network, pixels, parsed.GetValue(batch) ?? 128);
                return ExitCode.Success;
            }
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

    private static void WriteMemory(Device device, Architecture network, int pixels, int batch)
    {
        network.InferShapes(batch, pixels, pixels); // before memory is taken for it
        PlanMemory memory = PlanMemory.Measure(device, network, new PlanOptions { Batch = batch, Height = pixels, Width = pixels });
        Console.WriteLine($"{network.Name}: a training step on {batch} images of {network.InputChannels}×{pixels}×{pixels} on {device.Name}");
        Console.WriteLine($"parameters, gradients, momentum  {ByteSize.Format(memory.ParameterBytes)}");
        Console.WriteLine($"tensors placed                   {ByteSize.Format(memory.ArenaBytes)}");
        Console.WriteLine($"tensors if each had its place    {ByteSize.Format(memory.Tensors.Sum(tensor => tensor.Bytes))}");
        Console.WriteLine($"needed at once at the peak       {ByteSize.Format(memory.PeakBytes)}, in step {memory.PeakStep + 1} of {memory.Steps.Length} ({memory.Steps[memory.PeakStep]}):");
        TextTable.Write(
            Console.Out,
            ["tensor", "size", "needed in steps"],
            [
                .. memory.At(memory.PeakStep).OrderByDescending(tensor => tensor.Bytes).Select(tensor => (string[])
                [
                    tensor.Name, ByteSize.Format(tensor.Bytes), $"{tensor.FirstStep + 1} to {tensor.LastStep + 1}",
                ]),
            ],
            firstNumber: 1);
    }

    private static string Shape(TensorShape shape, Architecture network, SummaryLine line) =>
        network.Layers[^1] is Flatten && line.Name == (network.Layers.Length - 1).ToString(CultureInfo.InvariantCulture)
            ? $"{shape.C}"
            : $"{shape.C}×{shape.H}×{shape.W}";

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
