using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using NinCudnn.Cli.Runs;
using NinCudnn.Cli.Serving;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin serve</c></summary>
internal static class ServeCommand
{
    private const int DefaultPort = 8080;
    private const int DefaultMaxBatch = 16;
    private const int DefaultMaxRequests = 64;
    private const int DefaultMaxBodyMebibytes = 10;
    private const int DefaultMaxMegapixels = 25;
    private const int DefaultTimeout = 30; // seconds

    public static Command Create()
    {
        Option<string> checkpoint = SharedOptions.Checkpoint();
        Option<IPAddress> address = new("--address")
        {
            Description = "The address to listen on: 127.0.0.1 if not given, which only this machine reaches; 0.0.0.0 for all.",
            HelpName = "ip",
            CustomParser = result => SharedOptions.ParseOrReport(result, text => IPAddress.TryParse(text, out IPAddress? ip)
                ? ip
                : throw new FormatException($"--address is '{text}', but must be an IP address")),
            DefaultValueFactory = _ => IPAddress.Loopback,
        };
        Option<int?> port = SharedOptions.WholeNumber(new("--port") { Description = $"The port, {DefaultPort} if not given; 0 takes any that is free.", HelpName = "n" });
        Option<int?> maxBatch = SharedOptions.Positive(new("--max-batch") { Description = $"Images that go through the network at once at most, {DefaultMaxBatch} if not given.", HelpName = "n" });
        Option<int?> maxRequests = SharedOptions.Positive(new("--max-requests") { Description = $"Predictions under way, beyond which others are refused; {DefaultMaxRequests} if not given.", HelpName = "n" });
        Option<long?> maxBody = SharedOptions.Bytes(new("--max-body") { Description = $"The largest file that may be sent, for example 4M; {DefaultMaxBodyMebibytes}M if not given." });
        Option<double?> maxMegapixels = SharedOptions.NonNegative(new("--max-megapixels") { Description = $"The largest image that is decoded, {DefaultMaxMegapixels} if not given.", HelpName = "n" });
        Option<double?> timeout = SharedOptions.NonNegative(new("--timeout") { Description = $"Seconds that a request may take, {DefaultTimeout} if not given.", HelpName = "seconds" });
        Option<bool> invert = SharedOptions.Invert();
        Option<DeviceRequest> device = SharedOptions.Device();
        Option<string?> precision = SharedOptions.Precision("fp32");

        var command = new Command("serve", "Answers requests for predictions over HTTP, and has a page to drop images on.")
        {
            checkpoint, address, port, maxBatch, maxRequests, maxBody, maxMegapixels, timeout, invert, device, precision,
        };
        command.SetAction(async (parsed, stop) =>
        {
            int chosenPort = parsed.GetValue(port) ?? DefaultPort;
            if (chosenPort > IPEndPoint.MaxPort)
                throw new ArgumentException($"--port is {chosenPort}, but must be at most {IPEndPoint.MaxPort}");
            double seconds = parsed.GetValue(timeout) ?? DefaultTimeout;
            if (seconds is < 0.001 or > 86400)
                throw new ArgumentException($"--timeout is {seconds.ToString(CultureInfo.InvariantCulture)}, but must be between 0.001 and 86400");
            var options = new ServerOptions(
                parsed.GetRequiredValue(address), chosenPort, parsed.GetValue(maxBody) ?? (long)DefaultMaxBodyMebibytes << 20,
                (long)((parsed.GetValue(maxMegapixels) ?? DefaultMaxMegapixels) * 1e6), parsed.GetValue(maxRequests) ?? DefaultMaxRequests, TimeSpan.FromSeconds(seconds));
            ModelFile model = ModelFile.Load(RunDirectory.FindModel(parsed.GetRequiredValue(checkpoint)));
            var images = new ImageReader(model.Description, parsed.GetValue(invert));

            using Device target = Device.Open(parsed.GetRequiredValue(device));
            int size = model.Description.ImageSize;
            var (predictor, choice) = PrecisionChoice.Of(parsed.GetValue(precision), Precision.Float32, target).Make(used => BatchingPredictor.Load(
                target, model, size, size, parsed.GetValue(maxBatch) ?? DefaultMaxBatch, options.MaxRequests, used));
            using BatchingPredictor owned = predictor;
            using var server = new PredictionServer(predictor, images, options, target.Name, choice.ToString());
            await using WebApplication app = server.Build();
            await StartAsync(app, options, stop);
            Console.WriteLine($"{app.Urls.First()} predicts {model.Description.ClassNames.Count} classes on {target.Name} in {choice}; Ctrl-C ends it");
            await app.WaitForShutdownAsync(stop);
            return ExitCode.Success;
        });
        return command;
    }

    /// <exception cref="IOException">It can't listen there.</exception>
    private static async Task StartAsync(WebApplication app, ServerOptions options, CancellationToken stop)
    {
        try
        {
            await app.StartAsync(stop);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            SocketException? cause = e as SocketException ?? e.InnerException?.GetBaseException() as SocketException;
            throw new IOException($"can't listen on {new IPEndPoint(options.Address, options.Port)}: {cause?.Message ?? e.Message}; --port takes another port", e);
        }
    }
}
