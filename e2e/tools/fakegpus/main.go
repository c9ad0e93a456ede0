// A device plugin that advertises GPUs which are not there, as the real ones do theirs: by the kubelet's own protocol. A pod that is
// given some has their ids in NVIDIA_VISIBLE_DEVICES and /dev/null for each of their devices.
//
//	fakegpus FOLDER COUNT [FILE]
//
// FOLDER is the kubelet's, with kubelet.sock; FILE names the ids that are ill, in words, and may change at any time.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	resource = "nvidia.com/gpu"
	socket   = "fakegpus.sock"
	look     = 200 * time.Millisecond
)

type plugin struct {
	api.UnimplementedDevicePluginServer
	count int
	ill   string
}

func id(index int) string { return fmt.Sprintf("GPU-fake-%d", index) }

func (p *plugin) devices() []*api.Device {
	told, _ := os.ReadFile(p.ill) // no file: all are well
	ill := strings.Fields(string(told))
	found := make([]*api.Device, p.count)
	for i := range found {
		health := api.Healthy
		if slices.Contains(ill, id(i)) {
			health = api.Unhealthy
		}
		found[i] = &api.Device{ID: id(i), Health: health}
	}
	return found
}

func (p *plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p *plugin) ListAndWatch(_ *api.Empty, stream api.DevicePlugin_ListAndWatchServer) error {
	last := ""
	for stream.Context().Err() == nil {
		now := p.devices()
		if said := fmt.Sprint(now); said != last {
			if err := stream.Send(&api.ListAndWatchResponse{Devices: now}); err != nil {
				return err
			}
			last = said
		}
		time.Sleep(look)
	}
	return nil
}

func (p *plugin) Allocate(_ context.Context, asked *api.AllocateRequest) (*api.AllocateResponse, error) {
	given := &api.AllocateResponse{}
	for _, container := range asked.ContainerRequests {
		one := &api.ContainerAllocateResponse{
			Envs: map[string]string{"NVIDIA_VISIBLE_DEVICES": strings.Join(container.DevicesIds, ",")},
		}
		for _, device := range container.DevicesIds {
			one.Devices = append(one.Devices, &api.DeviceSpec{
				ContainerPath: "/dev/nvidia" + strings.TrimPrefix(device, "GPU-fake-"),
				HostPath:      "/dev/null",
				Permissions:   "rw",
			})
		}
		given.ContainerResponses = append(given.ContainerResponses, one)
	}
	return given, nil
}

// serve returns when the socket is gone: a kubelet that starts empties the folder, and wants to be told again.
func (p *plugin) serve(folder string) error {
	path := filepath.Join(folder, socket)
	_ = os.Remove(path)
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	api.RegisterDevicePluginServer(server, p)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	kubelet, err := grpc.NewClient("unix://"+filepath.Join(folder, "kubelet.sock"),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer kubelet.Close()
	within, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request := &api.RegisterRequest{Version: api.Version, Endpoint: socket, ResourceName: resource}
	if _, err := api.NewRegistrationClient(kubelet).Register(within, request); err != nil {
		return err
	}
	log.Printf("registered %d %s", p.count, resource)
	for {
		if _, err := os.Stat(path); err != nil {
			return err
		}
		time.Sleep(look)
	}
}

func main() {
	if len(os.Args) < 3 {
		log.Fatal("fakegpus FOLDER COUNT [FILE]")
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	p := &plugin{count: count}
	if len(os.Args) > 3 {
		p.ill = os.Args[3]
	}
	for {
		log.Print(p.serve(os.Args[1]))
		time.Sleep(time.Second)
	}
}
