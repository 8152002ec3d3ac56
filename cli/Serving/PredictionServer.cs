using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using NinCudnn.Interop;
using NinCudnn.Training;

namespace NinCudnn.Cli.Serving;

/// <summary>
/// Answers requests for predictions over HTTP, and has a page to try them. It reads no settings but those that it is given, and serves
/// nothing from disk.
/// </summary>
internal sealed class PredictionServer : IDisposable
{
    public const string PredictPath = "/predict";

    private const string PredictPolicy = "predict";
    private const int DefaultTop = 5;

    private readonly BatchingPredictor _predictor;
    private readonly ImageReader _images;
    private readonly ServerOptions _options;
    private readonly ModelResponse _model;
    private readonly ServerMetrics _metrics;
    private readonly SemaphoreSlim _decoding = new(Environment.ProcessorCount); // each holds a decoded image in memory
    private Exception? _failure; // of the newest prediction

    /// <param name="predictor">Predicts.</param>
    /// <param name="images">Decodes for it.</param>
    /// <param name="options">How it is reached, and what it bears.</param>
    /// <param name="device">The device's name, to show.</param>
    /// <param name="precision">What it computes in, to show.</param>
    public PredictionServer(BatchingPredictor predictor, ImageReader images, ServerOptions options, string device, string precision)
    {
        _predictor = predictor;
        _images = images;
        _options = options;
        _metrics = new ServerMetrics(predictor);
        ModelDescription model = predictor.Model;
        _model = new ModelResponse(
            model.Architecture.Name, model.ImageSize, model.Architecture.InputChannels, predictor.ClassMapShape.H, predictor.ClassMapShape.W,
            precision, device, model.ClassNames);
    }

    /// <summary>Makes the application, ready to start.</summary>
    public WebApplication Build()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = _options.MaxBodyBytes;
            kestrel.Limits.MaxConcurrentConnections = _options.MaxConnections;
            kestrel.Limits.RequestHeadersTimeout = _options.Timeout;
            kestrel.Listen(_options.Address, _options.Port);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddRequestTimeouts(timeouts => timeouts.AddPolicy(PredictPolicy, new RequestTimeoutPolicy
        {
            Timeout = _options.Timeout,
            TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable,
            WriteTimeoutResponse = context => WriteProblemAsync(
                context, StatusCodes.Status503ServiceUnavailable, $"it took longer than {_options.Timeout.TotalSeconds:0.#} s"),
        }));
        builder.Services.AddRateLimiter(limiter =>
        {
            limiter.AddConcurrencyLimiter(PredictPolicy, limits => limits.PermitLimit = _options.MaxRequests);
            limiter.OnRejected = (rejected, _) =>
            {
                rejected.HttpContext.Response.Headers.RetryAfter = "1";
                return new ValueTask(WriteProblemAsync(
                    rejected.HttpContext, StatusCodes.Status503ServiceUnavailable, $"{_options.MaxRequests} predictions are under way already"));
            };
        });
        bool isLocal = IPAddress.IsLoopback(_options.Address);
        if (isLocal)
        {
            // So that no page of another site, whose name can be made to mean this machine, reaches it.
            builder.Services.AddHostFiltering(filter =>
            {
                filter.AllowedHosts = ["localhost", "127.0.0.1", "[::1]"];
                filter.IncludeFailureMessage = false;
            });
        }

        WebApplication app = builder.Build();
        app.Use(ObserveAsync);
        if (isLocal)
            app.UseHostFiltering();
        app.UseRouting();
        app.UseRequestTimeouts();
        app.UseRateLimiter();
        foreach (PageFile file in PageFile.All)
            app.MapGet(file.Path, file.WriteAsync);
        app.MapGet("/model", context => WriteAsync(context, StatusCodes.Status200OK, _model, ServingJsonContext.Default.ModelResponse));
        app.MapGet("/health", HealthAsync);
        app.MapGet("/metrics", context =>
        {
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            return _metrics.WriteAsync(context.Response.Body, context.RequestAborted);
        });
        app.MapPost(PredictPath, PredictAsync).RequireRateLimiting(PredictPolicy).WithRequestTimeout(PredictPolicy);
        return app;
    }

    public void Dispose() => _decoding.Dispose();

    /// <summary>Counts every request, and turns what goes wrong into an answer.</summary>
    private async Task ObserveAsync(HttpContext context, RequestDelegate next)
    {
        long start = Stopwatch.GetTimestamp();
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await next(context);
            if (!context.Response.HasStarted && context.Response.StatusCode >= StatusCodes.Status400BadRequest)
                await WriteProblemAsync(context, context.Response.StatusCode, Refusal(context));
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            if (context.RequestAborted.IsCancellationRequested)
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            else
                await WriteProblemAsync(context, Status(e), e.Message);
        }
        string path = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "other";
        _metrics.Answered(path, context.Response.StatusCode, Stopwatch.GetElapsedTime(start));
    }

    private async Task PredictAsync(HttpContext context)
    {
        (int top, bool hasMaps) = (ReadNumber(context, "top", DefaultTop), ReadFlag(context, "maps"));
        if (context.Request.HasFormContentType && context.Request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
            throw new BadHttpRequestException("send the image file itself as the body, not a form", StatusCodes.Status415UnsupportedMediaType);
        var pixels = new byte[_predictor.ImageBytes];
        await DecodeAsync(context, pixels);

        ImagePrediction prediction;
        try
        {
            prediction = await _predictor.PredictAsync(pixels, context.RequestAborted);
            _failure = null;
        }
        catch (NativeException e)
        {
            _failure = e;
            throw;
        }
        IReadOnlyList<string> names = _model.Classes;
        float[] probabilities = prediction.Logits;
        ClassScores.Softmax(probabilities, names.Count);
        ServedClass[] classes =
        [
            .. ClassScores.Best(probabilities, top).Select(label => new ServedClass(
                names[label], label, probabilities[label], hasMaps ? Map(prediction.ClassMaps, label) : null)),
        ];
        await WriteAsync(context, StatusCodes.Status200OK, new PredictResponse(classes), ServingJsonContext.Default.PredictResponse);
    }

    private async Task DecodeAsync(HttpContext context, byte[] pixels)
    {
        using var content = new MemoryStream();
        await context.Request.Body.CopyToAsync(content, context.RequestAborted);
        if (content.Length == 0)
            throw new BadHttpRequestException("the body is empty; send an image file");
        content.Position = 0;
        await _decoding.WaitAsync(context.RequestAborted);
        try
        {
            _images.Decode(content, _model.ImageSize, pixels, _options.MaxPixels);
        }
        finally
        {
            _decoding.Release();
        }
    }

    private Task HealthAsync(HttpContext context) => _failure is { } failure
        ? WriteAsync(context, StatusCodes.Status503ServiceUnavailable, new HealthResponse("failing", failure.Message), ServingJsonContext.Default.HealthResponse)
        : WriteAsync(context, StatusCodes.Status200OK, new HealthResponse("ok", null), ServingJsonContext.Default.HealthResponse);

    /// <summary>A class's map by rows.</summary>
    private float[][] Map(float[] maps, int label)
    {
        var (height, width, classes) = (_model.MapHeight, _model.MapWidth, _model.Classes.Count);
        return [.. Enumerable.Range(0, height).Select(y => Enumerable.Range(0, width).Select(x => maps[(y * width + x) * classes + label]).ToArray())];
    }

    /// <exception cref="BadHttpRequestException">The value is no number of at least 1.</exception>
    private static int ReadNumber(HttpContext context, string name, int otherwise) => context.Request.Query[name] switch
    {
        [] => otherwise,
        [{ } text] when int.TryParse(text, CultureInfo.InvariantCulture, out int number) && number >= 1 => number,
        var text => throw new BadHttpRequestException($"{name} is '{text}', but must be a whole number of at least 1"),
    };

    /// <exception cref="BadHttpRequestException">The value is neither true nor false.</exception>
    private static bool ReadFlag(HttpContext context, string name) => context.Request.Query[name] switch
    {
        [] => false,
        [{ } text] when bool.TryParse(text, out bool flag) => flag,
        var text => throw new BadHttpRequestException($"{name} is '{text}', but must be true or false"),
    };

    /// <summary>Why no endpoint was asked.</summary>
    private static string Refusal(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => $"there is no {context.Request.Path}",
        StatusCodes.Status405MethodNotAllowed => $"{context.Request.Path} takes no {context.Request.Method}",
        _ => $"the host {context.Request.Host} is not this server's",
    };

    private static int Status(Exception exception) => exception switch
    {
        BadHttpRequestException bad => bad.StatusCode,
        InvalidDataException => StatusCodes.Status422UnprocessableEntity,
        PredictionQueueFullException => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static Task WriteProblemAsync(HttpContext context, int status, string detail) => WriteAsync(
        context, status, new ProblemResponse(ReasonPhrases.GetReasonPhrase(status), status, detail),
        ServingJsonContext.Default.ProblemResponse, "application/problem+json");

    private static async Task WriteAsync<T>(HttpContext context, int status, T value, JsonTypeInfo<T> type, string contentType = "application/json")
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, CancellationToken.None); // RequestAborted is what a timeout has ended, and is to be told
    }
}
