using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli;

/// <summary>A trained model on a device, ready for images. Owns all of it.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly Device _device;
    private readonly DeviceStream _stream;
    private readonly DeviceArena _arena;
    private readonly ParameterStore _parameters;

    /// <param name="model">The model.</param>
    /// <param name="isInverted">Whether images are dark on light where the model's are light on dark, or the other way round.</param>
    /// <param name="device">Where to run it; from here on owned by this.</param>
    /// <param name="precision">What <c>--precision</c> asks for.</param>
    /// <param name="batch">Images that run at once.</param>
    public LoadedModel(ModelFile model, bool isInverted, Device device, string? precision, int batch)
    {
        ModelDescription description = model.Description;
        Images = new ImageReader(description, isInverted);
        _device = device;
        _stream = device.CreateStream();
        _arena = new DeviceArena(device);
        var (made, _) = PrecisionChoice.Of(precision, Precision.Float32, device).Make(used =>
        {
            var parameters = new ParameterStore(device, description.Architecture, used);
            try
            {
                parameters.Load(model.Parameters);
                return (parameters, new Predictor(_stream, description, parameters, _arena, description.ImageSize, description.ImageSize, batch));
            }
            catch
            {
                parameters.Dispose();
                throw;
            }
        });
        (_parameters, Predictor) = made;
    }

    /// <summary>Decodes images for the model.</summary>
    public ImageReader Images { get; }

    public Predictor Predictor { get; }

    public ModelDescription Description => Predictor.Model;

    public void Dispose()
    {
        Predictor.Dispose();
        _parameters.Dispose();
        _arena.Dispose();
        _stream.Dispose();
        _device.Dispose();
    }
}
