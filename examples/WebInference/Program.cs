// A web app of one's own that says what images show:
//
//     dotnet run -- MODEL.safetensors [--urls http://127.0.0.1:5000]
//     curl --data-binary @image.png http://127.0.0.1:5000/predict
//
// Requests come one by one and at any time. BatchingPredictor takes those that have come in while the device was busy through the network together.

using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Training;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: WebInference MODEL.safetensors [--urls http://127.0.0.1:5000]");
    return 2;
}

WebApplicationBuilder builder = WebApplication.CreateBuilder(args[1..]);
builder.WebHost.ConfigureKestrel(server => server.Limits.MaxRequestBodySize = 10 << 20);
// The container makes these when they are first asked for, and disposes them at the end, the predictor before its device.
builder.Services.AddSingleton(_ => Device.Open());
builder.Services.AddSingleton(_ => ModelFile.Load(args[0]));
builder.Services.AddSingleton(services =>
{
    ModelFile model = services.GetRequiredService<ModelFile>();
    int size = model.Description.ImageSize;
    return BatchingPredictor.Load(services.GetRequiredService<Device>(), model, size, size, maxBatch: 16, queueCapacity: 256);
});

WebApplication app = builder.Build();
app.Services.GetRequiredService<BatchingPredictor>(); // now, not when the first request waits for it
app.MapPost("/predict", async (HttpRequest request, BatchingPredictor predictor, CancellationToken stop) =>
{
    using var file = new MemoryStream();
    await request.Body.CopyToAsync(file, stop);
    file.Position = 0;
    ModelDescription model = predictor.Model;
    var pixels = new byte[predictor.ImageBytes];
    try
    {
        ImageDecoder.Decode(file, model.ImageSize, model.ImageSize, isLuma: model.Architecture.InputChannels == 1, pixels, maxPixels: 25_000_000);
        float[] scores = (await predictor.PredictAsync(pixels, stop)).Logits;
        ClassScores.Softmax(scores, model.ClassNames.Count);
        return Results.Ok(ClassScores.Best(scores, count: 3).Select(label => new { Class = model.ClassNames[label], Probability = scores[label] }));
    }
    catch (InvalidDataException e)
    {
        return Results.Problem(e.Message, statusCode: StatusCodes.Status422UnprocessableEntity);
    }
    catch (PredictionQueueFullException e)
    {
        return Results.Problem(e.Message, statusCode: StatusCodes.Status503ServiceUnavailable);
    }
});
app.MapGet("/", (BatchingPredictor predictor) => $"{predictor.Images} images in {predictor.Batches} batches");
app.Run();
return 0;
