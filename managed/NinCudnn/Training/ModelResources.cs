using NinCudnn.Devices;
using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>What a model's plans share on a device: a stream, scratch memory, and the parameters. Owns all of it.</summary>
internal sealed class ModelResources : IDisposable
{
    public ModelResources(Device device, ModelFile model, Precision precision)
    {
        try
        {
            Stream = device.CreateStream();
            Arena = new DeviceArena(device);
            Parameters = new ParameterStore(device, model.Description.Architecture, precision);
            Parameters.Load(model.Parameters);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public DeviceStream Stream { get; }

    public DeviceArena Arena { get; }

    public ParameterStore Parameters { get; }

    public void Dispose()
    {
        // Not all are there if the constructor failed.
        Parameters?.Dispose();
        Arena?.Dispose();
        Stream?.Dispose();
    }
}
